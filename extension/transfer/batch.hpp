// A batch of movements, from the requests to the journal: what was done before is answered from the
// journal, the rest nets in memory between one lock and one write a row. A single movement on a
// plain table is a batch of one.
#pragma once

#include "transfer/booking.hpp"

#include <span>
#include <vector>

namespace lockstep {

// Defines lockstep.max_batch_items. Once, when the module is loaded.
void install_batch_setting();

// 54000 where a batch of so many items is not taken.
void require_batch_size(std::size_t items);

// Does them in the order of the request, exactly once each where they have an id. Refusals are
// returned and kept, or end the call, as each request says. Needs an open SPI session; what is
// returned lives in the memory context that is current. `numbered`: errors name the item. Errors:
// see README; those of the shape come before anything is locked.
[[nodiscard]] std::vector<movement_result>
book_batch(const ledger &in, std::span<const movement_request> requests, bool numbered);

} // namespace lockstep
