// A ledger as lockstep works with it: the table and its journal, the columns and their types, the
// bounds, and the statements that read and write its rows. Made from the registration and from what
// the catalogs say at that moment, and thrown away when either changes.
#pragma once

#include "pg/catalog.hpp"
#include "pg/key.hpp"

#include "core/movement.hpp"
#include "store/journal_table.hpp"
#include "store/registration.hpp"

#include <optional>

namespace lockstep {

// Trivially destructible: it lives in a memory context of its own.
struct ledger {
    Oid table;
    Oid journal;
    Oid journal_owner;
    char name[NAMEDATALEN]; // for messages

    journal_columns booked;

    key_type key;
    AttrNumber key_column;
    AttrNumber amount_column;
    Oid amount_column_type; // base type
    amount_type amount;
    bool has_floor_column;
    bool has_ceiling_column;
    bool has_version_column;
    bool has_frozen_column;
    std::optional<money> floor;
    std::optional<money> ceiling;
    relation_family family; // the table, and what inherits from it
    // A CHECK on the amount speaks before the write returns; so rows are read first, for the
    // refusal to be ours in every mode.
    bool reads_first;

    // Every statement names one row by key equality: $1 is the key.
    SPIPlanPtr write; // $2 is added to the amount; returns the row after it
    SPIPlanPtr lock;  // returns the row as it stands, FOR NO KEY UPDATE
    SPIPlanPtr look;  // whether the row is there for the caller at all
    SPIPlanPtr book;  // one journal row
};

// What a table needs to be a ledger, checked when it is registered and whenever its definition has
// changed since. Throws sql_error, LS005 mostly, saying which requirement is not met.
struct ledger_columns {
    column key;
    column amount;
    std::optional<column> floor;
    std::optional<column> ceiling;
    std::optional<column> version;
    std::optional<column> frozen;
};
void check_table_kind(Relation table);
[[nodiscard]] ledger_columns checked_columns(Relation table, const registration &row);

// The amount column's type; LS005 where amounts of that type are not exact.
[[nodiscard]] amount_type amount_type_of(const column &amount);

// Fills in a zeroed description of a registered ledger and prepares its statements; call with the
// table locked and an SPI session open. What it allocates is in the memory context of `made`.
void describe_ledger(ledger &made, Relation table, const registration &row);

} // namespace lockstep
