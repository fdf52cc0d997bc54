// Movements of several callers, carried out in one transaction by one of them. Nobody pays for
// another one: what would have to be waited for is left to its own caller, and a refusal is one
// caller's alone.
#pragma once

#include "transfer/request.hpp"

#include "core/call_memory.hpp"
#include "core/sql_error.hpp"

#include <optional>
#include <span>

namespace lockstep {

struct group_answer {
    movement_result result; // left: the caller is to do it himself, or to raise the error
    std::optional<sql_error> error;
};

// Whether its requests can be carried out together: the heap store serves it, in this transaction.
[[nodiscard]] bool serves_groups(const ledger &target);

// Does them in this order, for a ledger that serves groups; ids are given, and distinct, and what
// one call checks of its own arguments was checked. Waits for no row and for no id. Needs an open
// SPI session and a transaction that has done nothing yet; what is returned lives in the memory
// context that is current. Any error is one of all: who knows whose? The transaction must end then,
// and each has to do his own.
[[nodiscard]] call_vector<group_answer> move_group(const ledger &target,
                                                   std::span<const movement_request> requests);

} // namespace lockstep
