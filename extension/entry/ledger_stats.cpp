// lockstep.get_ledger_stats, get_submit_stats, reset_ledger_stats: what movements came to, by
// ledger.
#include "ledger/ledger_counters.h"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"

#include "core/sql_error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

using namespace lockstep;

namespace {

void require_statistics() {
    if (!lockstep_has_ledger_counters())
        throw sql_error(state::prerequisite_state, "there are no statistics of ledgers", {},
                        "Add lockstep to shared_preload_libraries and restart the server.");
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_ledger_stats) {
    require_statistics();
    ledger_count *copy = nullptr;
    const std::int32_t size = pg_call([&copy] { return lockstep_copy_ledger_counts(&copy); });
    row_builder<7> row;
    row.open_set(fcinfo);
    for (const ledger_count &one : std::span{copy, static_cast<std::size_t>(size)}) {
        row.add(oid_or_null(one.ledger));
        row.add(Int64GetDatum(one.counts.applied));
        row.add(Int64GetDatum(one.counts.replayed));
        row.add(Int64GetDatum(one.counts.refused));
        row.add(Int64GetDatum(one.counts.batches));
        row.add(Int64GetDatum(one.counts.items));
        row.add(moment_value(one.since));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_get_submit_stats) {
    require_statistics();
    submit_count *copy = nullptr;
    const std::int32_t size = pg_call([&copy] { return lockstep_copy_submit_counts(&copy); });
    row_builder<4 + LOCKSTEP_SUBMIT_SIZES + SUBMIT_ALONE_REASONS - 1> row;
    row.open_set(fcinfo);
    for (const submit_count &one : std::span{copy, static_cast<std::size_t>(size)}) {
        row.add(oid_or_null(one.ledger));
        row.add(Int64GetDatum(one.counts.calls));
        row.add(Int64GetDatum(one.counts.grouped));
        row.add(Int64GetDatum(one.counts.groups));
        for (const std::int64_t groups : one.counts.sizes)
            row.add(Int64GetDatum(groups));
        for (const std::int64_t calls : std::span{one.counts.alone}.subspan(1))
            row.add(Int64GetDatum(calls));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_reset_ledger_stats) {
    require_statistics();
    pg_call([] { lockstep_clear_ledger_counters(); });
    PG_RETURN_VOID();
}
