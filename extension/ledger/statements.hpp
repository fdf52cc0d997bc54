// The statements on a ledger's rows and its journal, as SQL and as kept plans. Everything in them
// is named with its schema, operators too, so that nothing in a caller's search_path can take their
// place. A statement is parsed when it first runs: a session that never needs it never pays for it.
#pragma once

#include "ledger/ledger.hpp"
#include "pg/spi.hpp"

namespace lockstep {

// Writes the statements of `made`; what they return of a row is the five values of row_column, null
// where the ledger has no such column, and after them those of the columns that must match. What is
// allocated is in the current memory context.
void write_statements(ledger &made, const ledger_columns &columns, Relation table,
                      Relation journal);

// Frees the plans. Raises nothing.
void release_statements(ledger &made) noexcept;

} // namespace lockstep
