// Requests that the journal knows already: they are answered from it, and not done again.
#pragma once

#include "transfer/movements.hpp"

namespace lockstep {

// Answers the movements whose ids are in the journal. An id that is being booked elsewhere is
// waited for.
void answer_known(movements &all);

// The same before anything is locked, so that what was done before takes no lock. A batch is booked
// as a whole: where none of some ids is known, the rest has time until the rows are locked.
void answer_known_early(movements &all);

// The same for movements of several callers. Nobody is waited for: an item whose id is being booked
// is left to its caller. An error is that of its item, and ends nothing.
void answer_known_of_several(movements &all);

// The id of an item has turned up in the journal while it was being booked: waits for its
// transaction, and answers the item where that one has booked it. False where nobody has. Where
// `alone` is not set other rows of ours are in the journal already: then we wait only for the very
// same request, whose session is waiting for nothing of ours; LS010 where it is another one.
[[nodiscard]] bool answer_if_booked(movements &all, std::uint32_t item, bool alone);

// Another transaction has the id of this item, and ours cannot go on: 40001, or LS010 where that
// one wants something else.
void refuse_known(const movements &all, std::uint32_t item);

} // namespace lockstep
