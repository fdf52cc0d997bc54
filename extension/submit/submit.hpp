// CALL submit: one movement, in a transaction of its own or in one with those of others who wait
// for the same rows.
#pragma once

#include "ledger/ledger_cache.hpp"
#include "transfer/request.hpp"

#include <functional>

namespace lockstep {

struct read_request {
    const ledger *target;
    movement_request request;
};

// Opens the ledger, looks at the caller's rights and reads what he asks for. Called anew in each
// transaction that needs it, in an open SPI session.
using request_reader = std::function<read_request(ledger_cache::use &)>;

struct submitted {
    movement_result result; // numerics in the memory context that was current at the call
    int group_size;         // calls that were carried out in the same transaction
};

// Does it, and commits. Call where a CALL stands alone (require_call_alone); there is no
// transaction after it where it returns. Errors are those of a single movement; 57014 where it was
// cancelled: a call that was taken by then is done all the same, and its id tells.
[[nodiscard]] submitted submit(const request_reader &read);

} // namespace lockstep
