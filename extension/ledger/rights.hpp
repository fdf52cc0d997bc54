// What the caller may do with a ledger's rows: the rights that the statements on them need, asked
// for before anything else is done.
#pragma once

#include "ledger/ledger.hpp"

namespace lockstep {

// 42501 for a caller who could not move its rows.
void check_rights(const ledger &target);

// The same for one who only asks about a row: 42501 without the rights to read its key.
void check_reading_rights(const ledger &target);

// Whether row security keeps no row from the caller.
[[nodiscard]] bool may_see_every_row(const ledger &target);

} // namespace lockstep
