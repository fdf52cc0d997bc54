// A table as whoever takes its rows by their keys needs it: which columns are the key, in which
// order keys stand, and where they are looked up. Trivially destructible.
#pragma once

#include "pg/catalog.hpp"
#include "pg/key.hpp"

#include <string>

namespace lockstep {

struct keyed_table {
    Oid table;
    const char *kind;       // "ledger" or "table", as messages have it
    char name[NAMEDATALEN]; // messages have table_text()
    key_type key;
    int key_count; // of the key's columns
    AttrNumber key_columns[INDEX_MAX_KEYS];
    Oid key_index;                   // unique, on the key alone; InvalidOid where there is none
    int8 key_places[INDEX_MAX_KEYS]; // which of the key's columns each column of the index is
    relation_family family;          // the table, and what inherits from it
};

// Fills in all but what the key is made of: what the table is called, where its key is looked up,
// and what inherits from it. The family lives in the current memory context.
void describe_place(keyed_table &made, Relation table, std::span<const AttrNumber> key_columns);

// As messages name it, and a row of it: table "items", row "7" of ledger "shop.accounts". Made for
// the message alone: the search path decides.
[[nodiscard]] std::string table_text(const keyed_table &target);
[[nodiscard]] std::string row_text(const keyed_table &target, Datum key);

} // namespace lockstep
