// The versions of one row in a table or partition, dead or alive: those that its key's index leads
// to, and on their pages those that nothing leads to any more. No page is locked while code of a
// type's runs, no row is shown to it, and nothing is told to the serializable transactions.
#pragma once

#include "pg/keyed_table.hpp"
#include "row_versions/found.hpp"

#include <vector>

namespace lockstep {

// Where versions are looked for. Table and index are open and locked.
struct search_place {
    Relation table;
    Relation index;
    AttrNumber columns[INDEX_MAX_KEYS]; // the key's, in this table
    int8 places[INDEX_MAX_KEYS];        // which of them each column of the index is
};

// In no order, each once. What the snapshot sees is what the server itself says.
[[nodiscard]] std::vector<found_version> versions_at(const search_place &place,
                                                     const key_type &type, Datum key, int columns,
                                                     Snapshot snapshot);

} // namespace lockstep
