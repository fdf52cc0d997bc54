#include "store/contention.hpp"

#include "core/sql_error.hpp"
#include "pg/settings.hpp"
#include "store/row_queue.hpp"

#include <algorithm>

namespace lockstep {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr int in_milliseconds(microseconds length) {
    return static_cast<int>(std::chrono::duration_cast<milliseconds>(length).count());
}

constinit int base = in_milliseconds(conflict_backoff.base);
constinit int cap = in_milliseconds(conflict_backoff.cap);

} // namespace

void install_backoff_settings() {
    define_milliseconds("lockstep.backoff_base",
                        "Longest first wait after a conflict, with nobody ahead; 0 never waits.",
                        &base, 0);
    define_milliseconds("lockstep.backoff_cap", "Longest wait of all after a conflict.", &cap, 0);
}

backoff_range conflict_range() {
    return {milliseconds{base}, milliseconds{cap}};
}

microseconds wait_behind(int ahead) {
    return backoff_limit(behind(conflict_range(), ahead), 0);
}

std::optional<microseconds> wait_for_row(const ledger &in, Datum key) {
    const auto ahead = sessions_ahead(in, key);
    if (!ahead)
        return std::nullopt;
    return *ahead == 0 ? microseconds{} : wait_behind(*ahead);
}

void lose_race_for_id(const ledger &in, std::optional<Datum> from, std::optional<Datum> to) {
    int ahead = 0;
    for (const auto &key : {from, to})
        if (key)
            ahead = std::max(ahead, sessions_ahead(in, *key).value_or(0));
    throw sql_error(state::serialization_failure,
                    "could not serialize access due to concurrent booking of the request id",
                    contention_detail(ahead, wait_behind(ahead)),
                    "The transaction might succeed if retried.");
}

} // namespace lockstep
