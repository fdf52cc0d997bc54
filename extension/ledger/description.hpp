// The description of a ledger, made from its registration and from what the catalogs say of the
// table and its journal just now.
#pragma once

#include "ledger/ledger.hpp"

namespace lockstep {

// Fills in a zeroed description of a registered ledger; call with the table and its journal locked.
// What it allocates is in the memory context of `made`.
void describe_ledger(ledger &made, Relation table, Relation journal, const registration &row);

} // namespace lockstep
