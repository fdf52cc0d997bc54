// What the statistics of a ledger are told of a call that has done its work.
#pragma once

#include "transfer/request.hpp"

#include <span>

namespace lockstep {

// Counts the answers; `batch`: they are those of one batch. What is rolled back later does not
// count.
void count_movements(const ledger &target, std::span<const movement_result> results, bool batch);

} // namespace lockstep
