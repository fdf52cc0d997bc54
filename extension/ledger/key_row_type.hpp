// The row type of a key of several columns. The journal keeps such a key as one value of the type
// <ledger>_key, which stands beside the ledger, belongs to its owner, and has the key's columns, as
// what their domains stand on, in the order of the key.
#pragma once

#include "ledger/registration.hpp"
#include "pg/catalog.hpp"

#include <optional>
#include <span>
#include <string>

namespace lockstep {

// The columns' names as messages have them: (tenant, account).
[[nodiscard]] std::string column_list(std::span<const column> columns);

// Whether a column is the one that was registered, and a key has the columns that it had: by their
// places in this table where they are known and still there, else by their names.
[[nodiscard]] bool is_same_column(Relation table, const registered_column &then, const column &now);
[[nodiscard]] bool is_same_key(Relation table, std::span<const registered_column> before,
                               std::span<const column> key);

// The key as one value: its only column, or for several the row type of the journal's keys. LS005
// where that is no row type of these columns. Waits for no lock.
[[nodiscard]] column key_as_one(Relation journal, std::span<const column> key);
// The same, and nothing where it is no such row type.
[[nodiscard]] std::optional<column> find_key_as_one(Relation journal, std::span<const column> key);

// Before the journal is made ready for a key: the key as one value, and the row type that the
// journal's keys have had (InvalidOid where none of lockstep's), to be dropped when they have it no
// longer.
struct prepared_key {
    column one;
    Oid outdated;
};

// Makes sure of the row type where the key has several columns: takes the one that the journal has,
// one that was left behind, or creates it. `before` is how the table was registered, if it was.
// Call as the owner of the ledger. 42710 where the type's name is taken; 55000 where the journal
// has bookings by another key.
[[nodiscard]] prepared_key prepare_key(Relation table, std::span<const column> key,
                                       const std::optional<registration> &before);

// The row type that the journal of such a registration has its keys in; InvalidOid where the key
// is one column.
[[nodiscard]] Oid key_row_type_of(const registration &row);

// Drops a row type; nothing where it is InvalidOid.
void drop_key_type(Oid type);

} // namespace lockstep
