// The journal as a table: its definition, its rights, and the check that a table is one. It stands
// beside the ledger as <ledger>_journal and belongs to the ledger's owner, who makes it: nothing
// here runs with more rights than that. A trigger keeps it append-only, and lockstep its only
// writer.
#pragma once

#include "pg/catalog.hpp"

#include "ledger/journal_definition.hpp"

#include <string>

namespace lockstep {

// The name that the ledger's journal has: <ledger>_journal, the ledger's part cut where it is long.
[[nodiscard]] std::string journal_name(Relation table);

// 42P07 where a new journal could not have its name: it may be the ledger's own from before.
void require_journal_name(Relation table);

// A journal that a table has from before; OID 0 where it has none.
struct kept_journal {
    Oid oid;
    int version;
};

// Makes sure of the journal: takes the one from before (if it is still there) or creates it, and
// brings it in line: it has the columns of the newest version then, the ledger's key type and, with
// history, the indexes to read one row's past by; and its sequence is past its entries. No row of
// it is lost. Call as the owner of the ledger. Returns its OID. 42P07 where the name is taken,
// 55000 where a later lockstep has made the one from before.
[[nodiscard]] Oid prepare_journal(Relation table, const column &key, bool history,
                                  kept_journal before);

// The version of a journal whose registration is lost, by the columns that it has.
[[nodiscard]] int version_of(Relation journal);

void drop_journal(Oid journal);

// Finds the columns of a journal of this version; LS005 where the table is none for keys of this
// type. 55000 where a later lockstep has made it.
[[nodiscard]] journal_layout checked_journal(Relation journal, const column &key, int version);

} // namespace lockstep
