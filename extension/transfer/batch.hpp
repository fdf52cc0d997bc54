// A batch of movements, from the requests to the journal: what was done before is answered from the
// journal, the rest nets in memory between one lock and one write a row. A single movement is a
// batch of one.
#pragma once

#include "transfer/request.hpp"

#include "core/call_memory.hpp"

#include <span>

namespace lockstep {

// Defines lockstep.max_batch_items. Once, when the module is loaded.
void install_batch_setting();

// 54000 where a batch of so many items is not taken.
void require_batch_size(std::size_t items);

// Does them in the order of the request, exactly once each where they have an id. Refusals are
// returned and kept, or end the call, as each request says. Needs an open SPI session; what is
// returned lives in the memory context that is current. Errors name the item; see README for them.
// Those of the shape come before anything is locked.
[[nodiscard]] call_vector<movement_result> move_all(const ledger &target,
                                                    std::span<const movement_request> requests);

// The same for a single one. 22023 where it expects a version and the ledger has none, 55000 where
// it asks for what there is and the journal is of a version that has no column for that.
[[nodiscard]] movement_result move_one(const ledger &target, const movement_request &request);

} // namespace lockstep
