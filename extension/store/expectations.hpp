// What a store may expect of those who call it, for its Asserts: servers without assertions have
// none of it.
#pragma once

#include "store/store.hpp"

#ifdef USE_ASSERT_CHECKING

namespace lockstep {

// Whether the keys are distinct and in canonical order.
[[nodiscard]] bool are_in_order(const ledger &target, std::span<const Datum> keys);

// Whether the rows of the journal have the order of their ids, each of which is there once.
[[nodiscard]] bool are_in_order(std::span<const journal_row> rows);

// Whether each row that was moved is one that was found, and so locked.
[[nodiscard]] bool are_all_found(std::span<const batch_row> rows);

} // namespace lockstep

#endif
