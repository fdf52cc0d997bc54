#include "transfer/counting.hpp"

#include "ledger/ledger_counters.h"

namespace lockstep {

void count_movements(const ledger &target, std::span<const movement_result> results, bool batch) {
    if (!lockstep_has_ledger_counters())
        return;
    ledger_counts counts{};
    for (const movement_result &one : results) {
        counts.applied += one.status == movement_status::applied ? 1 : 0;
        counts.replayed += one.status == movement_status::replayed ? 1 : 0;
        counts.refused += one.status == movement_status::refused ? 1 : 0;
    }
    if (batch) {
        counts.batches = 1;
        counts.items = static_cast<std::int64_t>(results.size());
    }
    const Oid table = target.table;
    pg_call([table, &counts] { lockstep_count_movements(table, &counts); });
}

} // namespace lockstep
