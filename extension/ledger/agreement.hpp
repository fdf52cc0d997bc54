// Whether a journal is one of the columns that a ledger is to have from now on.
#pragma once

#include "ledger/ledger.hpp"

namespace lockstep {

// Where the amount or a key of one column is another one than before: each row that the journal has
// moved must have the newest of its balances there, else 22023. A column that was renamed is the
// same one. Keys of several columns are prepare_key's. Call as the owner of the ledger, before the
// journal is made ready.
void require_agreement(Relation table, const ledger_columns &columns, const registration &before);

// The same for a journal that the ledger is to take up, of which nobody knows any more what its
// columns were: 22023 where it has other balances than the rows that are there.
void require_journal_of(Relation table, const ledger_columns &columns, Oid journal);

} // namespace lockstep
