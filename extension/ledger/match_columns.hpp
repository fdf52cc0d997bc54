// The columns in which both rows of a movement must agree: a currency, a tenant. Their equality is
// the one of the type's default operator class, under the column's collation; two nulls agree.
#pragma once

#include "pg/catalog.hpp"

#include <span>

namespace lockstep {

// Trivially destructible; the function look-ups in it live as long as the ledger.
struct match_column {
    char name[NAMEDATALEN];
    AttrNumber number;
    Oid type; // base type
    Oid collation;
    int16 length;
    bool by_value;
    FmgrInfo equals;
    FmgrInfo output;
};

// Whether the type, a base type, says when two of its values are equal.
[[nodiscard]] bool can_be_matched(Oid type);

// Makes them, in the current memory context; null for none. Each type can be matched.
[[nodiscard]] const match_column *match_columns_of(std::span<const column> columns);

} // namespace lockstep
