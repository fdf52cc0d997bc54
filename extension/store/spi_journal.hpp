// The journal's rows by statements, for journals that have something of their own: triggers,
// columns, constraints. They are written as the journal's owner, whose code that is.
#pragma once

#include "store/store.hpp"

#include <cstddef>
#include <span>

namespace lockstep {

// Writes many; they come in the order of their ids. The positions of those that the journal did not
// take: their id is there already, or a trigger has left them out. 09000 where a trigger has
// changed one. Needs an open SPI session.
[[nodiscard]] call_vector<std::size_t> write_to_journal(const ledger &target,
                                                        std::span<const journal_row> rows);

} // namespace lockstep
