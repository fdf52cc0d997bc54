// The newest entry of a journal, by which its sequence is seen to be behind: sequences are not
// replicated logically, and a restore of data alone does not bring them.
#pragma once

#include "ledger/journal_definition.hpp"

#include <cstdint>
#include <optional>

namespace lockstep {

// All of these count every row that is in the journal's pages, whoever may see it: also what others
// are booking just now, and what was rolled back. None where there is no row.

// The newest entry of the last rows, where a journal has its newest. Reads some pages.
[[nodiscard]] std::optional<std::int64_t> newest_entry_at_end(Oid journal,
                                                              const journal_layout &layout);

// The newest entry of all. Reads the whole journal.
[[nodiscard]] std::optional<std::int64_t> newest_entry(Oid journal, const journal_layout &layout);

// Puts the journal's sequence past its newest entry, wherever it is behind. Reads the whole
// journal; nobody must write it meanwhile.
void bring_sequence_in_line(Oid journal, const journal_layout &layout);

} // namespace lockstep
