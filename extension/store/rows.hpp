// The rows of a ledger, one statement a row: lock it and read it, or write it and read what the
// write returned. Both need an open SPI session and take the row's lock FOR NO KEY UPDATE. And what
// both stores share: how a row's values are read and written.
#pragma once

#include "ledger/ledger.hpp"

#include <optional>

namespace lockstep {

// What was read of a row: the five values of row_column, and those of the columns that must match.
struct raw_row {
    Datum values[row_columns];
    bool nulls[row_columns];
    matched_values *matched; // null where the ledger has none
};

// Makes sense of it. 22004 where the amount is null, 22003 where an amount or a bound is no
// finite number.
[[nodiscard]] row_state state_of(const ledger &target, Datum key, const raw_row &raw);

// The same of the last statement's result, whose values begin at this column, from 1; rows from the
// first one on.
[[nodiscard]] row_state result_state(const ledger &target, Datum key, uint64 row, int first_column);

// An amount and a version as the columns keep them; 22003 where the version's column cannot.
[[nodiscard]] Datum amount_datum(const ledger &target, const money &amount);
[[nodiscard]] Datum version_datum(const ledger &target, Datum key, std::int64_t version);

// The row as it stands under its lock; nothing where the caller has no such row.
[[nodiscard]] std::optional<row_state> lock_row(const ledger &target, Datum key);

// The same without waiting; nothing as well where others have the row locked, or are changing it.
[[nodiscard]] std::optional<row_state> try_row(const ledger &target, Datum key);

// Whether the caller has such a row at all.
[[nodiscard]] bool is_there(const ledger &target, Datum key);

// Whether row security leaves the row to the caller, without locking it: for answers that come from
// the journal alone.
[[nodiscard]] bool may_see_row(const ledger &target, Datum key);

// Gives the row, which was locked with the amount `before`, this amount and version; the row after
// that, nothing where the write named none. 27000 where its amount is another one by now.
[[nodiscard]] std::optional<row_state> set_row(const ledger &target, Datum key, const money &before,
                                               const row_state &row);

// Why a write named no row, where the row is there all the same: under row security it is not the
// caller's to write, which is as good as not there; otherwise a trigger has swallowed the write
// (09000).
void explain_unwritten(const ledger &target, Datum key);

} // namespace lockstep
