// The rows of a ledger, one statement a row: lock it and read it, or write it and read what the
// write returned. Both need an open SPI session and take the row's lock FOR NO KEY UPDATE.
#pragma once

#include "store/ledger.hpp"

#include <optional>

namespace lockstep {

// The row as it stands under its lock; nothing where the caller has no such row.
[[nodiscard]] std::optional<row_state> lock_row(const ledger &in, Datum key);

// Refuses a caller who could not do the movement (42501), and tells whether row security leaves the
// row to the caller, without locking it: for answers that come from the journal alone.
void check_rights(const ledger &in);
[[nodiscard]] bool may_see_row(const ledger &in, Datum key);

// Adds to the row's amount and counts its version up; the row after that, nothing where the caller
// has no such row. 22003 where the column cannot hold the sum, 09000 where a trigger swallowed the
// write.
[[nodiscard]] std::optional<row_state> add_to_row(const ledger &in, Datum key, money change);

} // namespace lockstep
