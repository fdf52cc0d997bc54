// The journal's rows, put into its heap and its indexes directly: for journals that have nothing of
// their own. None of these waits for anybody; the rows of many come in the order of their ids.
#pragma once

#include "ledger/ledger.hpp"

#include <cstddef>
#include <span>

namespace lockstep {

// Whether the ledger's journal is such a one, and its owner has the rights that a statement would
// ask of him.
[[nodiscard]] bool may_put_into_journal(const ledger &target);

// Adds one; false, and nothing is added, where its id is there already, committed or not.
[[nodiscard]] bool put_into_journal(const ledger &target, const journal_row &row);

// Adds all of them, or none: then false.
[[nodiscard]] bool put_all_into_journal(const ledger &target, std::span<const journal_row> rows);

// Adds all before the first one whose id is there already; how many that is.
[[nodiscard]] std::size_t put_some_into_journal(const ledger &target,
                                                std::span<const journal_row> rows);

// The same at less cost, but where it is not all of them, more may be in the heap: the transaction
// has to end.
[[nodiscard]] std::size_t put_many_into_journal(const ledger &target,
                                                std::span<const journal_row> rows);

} // namespace lockstep
