#include "transfer/contention.hpp"

#include "core/sql_error.hpp"
#include "locking/row_queue.hpp"

#include <algorithm>

namespace lockstep {

using std::chrono::microseconds;

std::optional<microseconds> wait_for_row(const ledger &target, Datum key) {
    const auto ahead = sessions_ahead(target, key);
    if (!ahead)
        return std::nullopt;
    return *ahead == 0 ? microseconds{} : wait_behind(*ahead);
}

void lose_race_for_id(const ledger &target, std::optional<Datum> from, std::optional<Datum> to) {
    int ahead = 0;
    for (const auto &key : {from, to})
        if (key)
            ahead = std::max(ahead, sessions_ahead(target, *key).value_or(0));
    throw sql_error(state::serialization_failure,
                    "could not serialize access due to concurrent booking of the request id",
                    contention_detail(ahead, wait_behind(ahead)),
                    "The transaction might succeed if retried.");
}

} // namespace lockstep
