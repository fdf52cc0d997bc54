// Statements as text, with parameters: some as values of a type of their own, and some as texts, of
// which each statement finds the types where it uses them, as a driver's untyped parameters do.
// Nothing of a parameter's text is ever parsed as SQL.
#pragma once

#include "retry/script.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

using text_parameters = std::vector<std::optional<std::string>>;

struct bound_value {
    Oid type;
    Datum value; // not null
};

// Runs the statements, one after the other, in an open SPI session of the current transaction. Each
// sees what those before it did. The first parameters are `values`, those after them `texts`.
// Returns how many rows INSERT, UPDATE, DELETE and MERGE have written, as their command tags say.
// 2D000 for statements that begin or end transactions, 0A000 for COPY from or to the client, 42P02
// for a parameter that is not given, 22023 for one that no statement uses. `procedure` names the
// caller in messages.
std::uint64_t run_statements(script &wanted, const char *procedure,
                             std::span<const bound_value> values, const text_parameters &texts);

// The rows of the last of these as a JSON array of objects, made in `outside`; nothing where it
// returns none.
[[nodiscard]] std::optional<Datum> rows_of_last_statement(MemoryContext outside);

} // namespace lockstep
