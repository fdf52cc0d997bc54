#include "pg/keyed_table.hpp"

#include <algorithm>

namespace lockstep {

void describe_place(keyed_table &made, Relation table, std::span<const AttrNumber> key_columns) {
    made.table = RelationGetRelid(table);
    strlcpy(made.name, RelationGetRelationName(table), sizeof(made.name));
    made.key_count = static_cast<int>(key_columns.size());
    std::ranges::copy(key_columns, made.key_columns);
    made.key_index = unique_index_on(table, key_columns);
    if (OidIsValid(made.key_index))
        places_in_index(made.key_index, key_columns, made.key_places);
    made.family = family_of(table);
}

std::string table_text(const keyed_table &target) {
    return std::string{target.kind} + " \"" + shown_name_of(target.table, target.name) + "\"";
}

std::string row_text(const keyed_table &target, Datum key) {
    return "row \"" + key_text(target.key, key) + "\" of " + table_text(target);
}

} // namespace lockstep
