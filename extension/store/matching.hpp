// What a row has in the columns in which both rows of a movement must agree, read with the rest of
// the row, and compared by the types' own operators.
#pragma once

#include "ledger/ledger.hpp"

namespace lockstep {
inline namespace guarded {

// The values of the row in the slot; and of a row of the last statement's result, from this column
// on, counted from 1. In the current memory context; the ledger's description must outlive them.
[[nodiscard]] matched_values *matched_in_slot(const ledger &target, TupleTableSlot *slot);
[[nodiscard]] matched_values *matched_in_result(const ledger &target, uint64 row, int first_column);

} // namespace guarded

// What was read so, as core takes it; null for null. What compares the values is C++: it is not for
// the guard to hand out.
[[nodiscard]] const matched_values *comparable(matched_values *read);

} // namespace lockstep
