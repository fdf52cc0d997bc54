#include "transfer/comparing.hpp"

#include "core/sql_error.hpp"
#include "ledger/ledger_cache.hpp"

namespace lockstep {

namespace {

// The number of the transaction's next command; each that writes, or locks a row, counts it up.
CommandId next_command() {
    return pg_call([] {
        CommandCounterIncrement();
        return GetCurrentCommandId(false);
    });
}

} // namespace

comparing::comparing(const ledger &target) : target_(target) {
    if (target_.match_count > 0)
        begun_ = next_command();
}

void comparing::finish() const {
    if (target_.match_count == 0)
        return;
    const CommandId now = next_command();
    ledger_cache::require_unchanged(target_);
    if (now != begun_)
        throw sql_error(state::triggered_data_change_violation,
                        "an operator that compares columns of " + table_text(target_) +
                            " has changed data",
                        "It was called while a movement was in progress.");
}

} // namespace lockstep
