// Keys that a query finds: a CALL takes no query in its arguments.
#pragma once

#include "pg/boundary.hpp"

#include <string>

namespace lockstep {

// The rows of a query, which may not write, as a text[] in the memory context that is current: a
// value as its type writes it; several columns as the text of a row. In an open SPI session of the
// caller's.
[[nodiscard]] Datum keys_of_query(const std::string &sql, MemoryContext outside);

} // namespace lockstep
