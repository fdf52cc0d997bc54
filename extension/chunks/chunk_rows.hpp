// The rows of a table by their keys, for one transaction after the other: between two of them
// nothing of the table is held, so each looks at it anew.
#pragma once

#include "chunks/key_list.hpp"
#include "pg/arrays.hpp"
#include "retry/bound_statement.hpp"

#include "core/row_lock.hpp"

#include <string>
#include <vector>

namespace lockstep {

struct chunk_table {
    Oid table;
    std::vector<std::string> key_columns; // none: its own key
    lock_strength strength;
};

struct sorted_keys {
    key_list keys;        // distinct, in canonical order
    std::string relation; // the table's name, with its schema
    int columns;          // of the key
};

// Reads the keys that the caller gave, of any form that a key may have, and puts them into order.
// In an open SPI session, with the errors of table_use; 22004 where one is null, and the key type's
// own errors where one is no key.
[[nodiscard]] sorted_keys sort_keys(const chunk_table &target, const array_elements &given);

struct locked_chunk {
    // The keys whose rows are locked, in canonical order: one array a column of the key.
    std::vector<bound_value> arrays;
    std::size_t locked;
    std::vector<std::size_t> missing; // by position in the list: the rows that are not there
};

// Locks the rows of the keys from one position to before another, in canonical order as it is now.
// In an open SPI session, in whose memory the arrays are then; with the errors of lock_rows.
[[nodiscard]] locked_chunk lock_chunk(const chunk_table &target, const key_list &keys,
                                      std::size_t from, std::size_t to);

} // namespace lockstep
