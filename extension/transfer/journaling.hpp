// From movements that are decided to rows of the journal.
#pragma once

#include "transfer/movements.hpp"

#include "store/store.hpp"

#include <span>

namespace lockstep {

// The journal's rows of these items, which come in the order of their ids. Numbers and the time are
// drawn here, while the ledger's rows are locked: for each of those, the journal has the order of
// both. Entries have the order of the request.
[[nodiscard]] call_vector<journal_row>
journal_rows_of(const movements &all, std::span<const std::uint32_t> items, TimestampTz now);

// Adds the rows of these items to the journal. Items that others have booked meanwhile are answered
// by that, or end the call: 40001, LS010. 09000 where a trigger of the journal has left a row out
// or put another one in its place.
void append_to_journal(movements &all, store &where, std::span<const journal_row> rows,
                       std::span<const std::uint32_t> items);

} // namespace lockstep
