// Statements as text, with parameters as texts: each statement finds the types of its parameters
// where it uses them, as a driver's untyped parameters do. Nothing of a parameter's text is ever
// parsed as SQL.
#pragma once

#include "retry/script.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

using text_parameters = std::vector<std::optional<std::string>>;

// Runs the statements, one after the other, in an open SPI session of the current transaction. Each
// sees what those before it did. Returns the rows of the last one as a JSON array of objects, made
// in `outside`; nothing where it returns none. 2D000 for statements that begin or end transactions,
// 0A000 for COPY from or to the client, 42P02 for a parameter that is not given, 22023 for one that
// no statement uses. Messages name the procedure that was called.
[[nodiscard]] std::optional<Datum> run_statements(script &wanted, const text_parameters &parameters,
                                                  const char *procedure, MemoryContext outside);

} // namespace lockstep
