// The statements on one ledger's rows, as SQL and as kept plans. Everything in them is named with
// its schema, operators too, so that nothing in a caller's search_path can take their place.
#pragma once

#include "store/ledger.hpp"

namespace lockstep {

// What `write` and `lock` return, in this order; a column that the ledger has not is null.
enum class row_column : int { amount = 1, version, floor, ceiling, frozen };

// Prepares the plans of `made`; needs an open SPI session. Plans that were kept before an error are
// freed by release_statements.
void prepare_statements(ledger &made, const ledger_columns &columns, Relation table,
                        Relation journal);

// Frees the plans. Raises nothing.
void release_statements(ledger &made) noexcept;

} // namespace lockstep
