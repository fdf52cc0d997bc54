// Row types that values in hand are made of. Code of the user's that runs meanwhile (of a domain,
// of a cast) could change such a type, and then the values would be read in a layout that they do
// not have.
#pragma once

#include "pg/pg.hpp"

#include <cstddef>

namespace lockstep {
inline namespace guarded {

// Holds the row types that a type has in it, with those held before: to change one is an error then
// (55006), as for a table that is read. They are released by release_types, or with the transaction
// on an error.
[[nodiscard]] List *hold_types(List *held, Oid type);

// The same for a value, where its type does not tell: a row without a declared type, or many.
[[nodiscard]] List *hold_types_of(List *held, Datum value, Oid type);

// The same for many such values; Datum{0} is none.
[[nodiscard]] List *hold_types_of_all(List *held, const Datum *values, std::size_t count, Oid type);

void release_types(List *held);

} // namespace guarded
} // namespace lockstep
