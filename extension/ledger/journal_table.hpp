// The journal as a table: its definition, its rights, and the check that a table is one. It stands
// beside the ledger as <ledger>_journal and belongs to the ledger's owner, who makes it: nothing
// here runs with more rights than that. A trigger keeps it append-only, and lockstep its only
// writer.
#pragma once

#include "pg/catalog.hpp"

#include <string>

namespace lockstep {

// Where the journal's columns are, and its unique index on request_id.
struct journal_columns {
    Oid unique_index;
    Oid entry_sequence; // InvalidOid where entry is no identity column any more
    AttrNumber request_id;
    AttrNumber entry;
    AttrNumber from_key;
    AttrNumber to_key;
    AttrNumber amount;
    AttrNumber from_balance;
    AttrNumber to_balance;
    AttrNumber refusal;
    AttrNumber booked_at;
    AttrNumber memo;

    [[nodiscard]] bool operator==(const journal_columns &) const = default;
};

// The name that the ledger's journal has: <ledger>_journal, the ledger's part cut where it is long.
[[nodiscard]] std::string journal_name(Relation table);

// Makes sure of the journal: takes the one that the table has from before (if not 0 and still
// there) or creates it, and gives it the ledger's key type and, with history, the indexes to read
// one row's past by. Call as the owner of the ledger. Returns its OID. 42P07 where the name is
// taken.
[[nodiscard]] Oid prepare_journal(Relation table, const column &key, bool history, Oid kept);

void drop_journal(Oid journal);

// Finds the journal's columns; LS005 where the table is no journal for keys of this type.
[[nodiscard]] journal_columns checked_journal(Relation journal, const column &key);

} // namespace lockstep
