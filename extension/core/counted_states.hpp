// The SQLSTATEs that the statistics of retries count each by itself. Anybody can raise a state that
// nobody has heard of, so what is not here is counted together: the list bounds the memory.
#pragma once

#include "core/sql_error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace lockstep {

// Bytewise: the server's of class 40, whatever lockstep.retry tries again, two that end a wait, and
// every one of our own.
inline constexpr std::array<std::string_view, 24> counted_states{
    "40000",
    state::serialization_failure,
    "40002",
    "40003",
    "40P01",
    "53000",
    "53200",
    "55P03",
    state::query_canceled,
    "72000",
    state::insufficient_funds,
    state::above_ceiling,
    state::row_not_found,
    state::row_frozen,
    state::not_a_ledger,
    state::same_row,
    state::invalid_amount,
    state::rows_do_not_match,
    state::request_id_reused,
    state::already_refused,
    state::version_changed,
    state::duplicate_request_in_batch,
    state::lock_order,
    state::nested_retry,
};

static_assert(std::is_sorted(counted_states.begin(), counted_states.end()));

} // namespace lockstep
