// lockstep.get_deadlock_coverage: what was recorded, by database.
#include "activity/catalogs.hpp"
#include "deadlocks/coverage.h"
#include "deadlocks/history.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"

#include <algorithm>
#include <span>

using namespace lockstep;

namespace {

struct server_count {
    std::int64_t deadlocks;
    std::int64_t reset_at;
};

server_count counted_by_server(Oid database) {
    return pg_call([database] {
        server_count found{};
        found.deadlocks = lockstep_server_deadlocks(database, &found.reset_at);
        return found;
    });
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_deadlock_coverage) {
    require_deadlock_history();
    catalogs names;
    sessions activity(names.readable());
    deadlock_coverage *copy = nullptr;
    const std::int32_t size = pg_call([&copy] { return lockstep_copy_coverage(&copy); });
    const std::span<deadlock_coverage> all{copy, static_cast<std::size_t>(size)};
    std::ranges::sort(all, {}, &deadlock_coverage::database);
    row_builder<7> row;
    row.open_set(fcinfo);
    for (const deadlock_coverage &one : all) {
        row.add(oid_or_null(one.database));
        row.add(activity.database_name(one.database));
        row.add(moment_value(one.since));
        row.add(Int64GetDatum(one.recorded));
        row.add(Int64GetDatum(one.lost));
        // Where the server's counter was reset since, nothing can be said.
        const server_count server = counted_by_server(one.database);
        if (one.database == InvalidOid || one.server_since < 0 || server.reset_at > one.since) {
            row.add_nulls(2);
        } else {
            const std::int64_t counted = server.deadlocks - one.server_since;
            row.add(Int64GetDatum(counted));
            // It counts when the victim's transaction is over, and a little later.
            row.add(Int64GetDatum(std::max<std::int64_t>(counted - one.recorded, 0)));
        }
        row.append(fcinfo);
    }
    names.release();
    PG_RETURN_NULL();
}
