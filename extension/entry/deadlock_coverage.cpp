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

column_value count_or_null(std::int64_t count) {
    return count < 0 ? column_value{} : column_value{Int64GetDatum(count)};
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
        row.add(count_or_null(one.counted));
        row.add(count_or_null(one.missed));
        row.append(fcinfo);
    }
    names.release();
    PG_RETURN_NULL();
}
