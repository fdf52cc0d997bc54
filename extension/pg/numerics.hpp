// Many amounts at once between the server's numeric and ours: one guard for all, and no text for
// the amounts that 64 bits hold. The others take the way of pg/values.
#pragma once

#include "pg/boundary.hpp"

#include "core/movement.hpp"
#include "core/sql_error.hpp"

#include <optional>
#include <span>
#include <string>

namespace lockstep {

// Reads numerics that are not null into `amounts`, which has room for all. What one is called in an
// error is said by `name`, see money_from_numeric for the errors.
void read_numerics(std::span<const Datum> numerics, const char *name, std::span<money> amounts);

// An amount that is kept in a table: nothing where it is no finite number. Nobody asked for it:
// unreadable() is the error to throw, 22003; `what` names the value.
[[nodiscard]] std::optional<money> read_numeric(Datum numeric);
[[nodiscard]] sql_error unreadable(const std::string &what, Datum numeric);

// Makes numerics of amounts, with the decimals that they have; Datum{0} where there is none.
void make_numerics(std::span<const std::optional<money>> amounts, std::span<Datum> numerics);

} // namespace lockstep
