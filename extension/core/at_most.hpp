// A movement of what is there, up to an amount: the bounds of the rows say how much that is.
#pragma once

#include "core/batch.hpp"

#include <span>

namespace lockstep {

// What of the item's amount the floor of the row that gives, and the ceiling of the one that takes,
// let through, in whole units of the column. Where they let nothing through, an amount that
// apply_item() refuses for the bound that leaves nothing.
[[nodiscard]] money amount_within_bounds(std::span<const batch_row> rows, const batch_item &item,
                                         const amount_type &type);

} // namespace lockstep
