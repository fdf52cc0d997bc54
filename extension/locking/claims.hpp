// Claims: some rows that nobody else has, locked for the caller. What a queue of jobs needs.
#pragma once

#include "locking/table_use.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lockstep {

// Locks at most max_rows rows, FOR NO KEY UPDATE, that have these values, in the order of the
// column and then of the key, and passes over those that are locked already; their keys, in that
// order, in the current memory context. Waits for no row that it is to give, so that the order
// guard has nothing against it; the rows count as held from then on. LS050 where it came to a row
// in the instant in which its holder committed, and somebody else has done the same and keeps its
// new version (short_waits.hpp). 42883 where a type has no equality. Runs code of types and
// policies.
[[nodiscard]] call_vector<Datum> claim_rows(const table_use &use, std::int32_t max_rows,
                                            std::optional<Datum> matching,
                                            const std::optional<column> &order_by);

} // namespace lockstep
