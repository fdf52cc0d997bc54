// Row locks for anybody, taken by SELECT ... FOR: privileges, row security, triggers of partitions
// and all that the server does for such a statement hold here too. Rows are locked in the order of
// their keys, and the order guard (locking/order_guard) says what may be waited for.
#pragma once

#include "locking/table_use.hpp"

#include "core/row_lock.hpp"

#include <span>

namespace lockstep {

// Locks the rows of these keys, which are distinct and in canonical order; by position, whether the
// row is there for the caller and is locked now. With block, rows above all that the transaction
// holds are waited for, and the others tried: LS050 where one of these is busy. With nowait a busy
// row is 55P03, which names it; with skip it is left out. 40001 where the isolation level forbids
// the row, as for the statement.
[[nodiscard]] call_vector<bool> lock_rows(const table_use &use, std::span<const Datum> keys,
                                          lock_strength strength, lock_wait wait);

} // namespace lockstep
