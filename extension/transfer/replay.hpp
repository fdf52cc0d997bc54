// The answer to a request that is in the journal already.
#pragma once

#include "transfer/recorded_movement.hpp"
#include "transfer/request.hpp"

namespace lockstep {

// What the earlier movement says to this request: replayed, or refused with LS012 where refusals
// are returned. LS010 where it asked for something else, LS012 where it was refused and refusals
// are raised, LS003 where row security hides a row that it moved. For those only who could have
// made the request: see check_rights. Takes no lock on the rows.
[[nodiscard]] movement_result replay(const ledger &target, const movement_request &request,
                                     const recorded_movement &earlier);

// LS010 where another transaction is booking something else under the request's id just now.
void require_same_content(const ledger &target, const movement_request &request,
                          const recorded_movement &in_flight);

} // namespace lockstep
