// Plans of statements whose text is made for each call: a session keeps those that it used last, by
// text and types of the parameters. The text names everything with its schema, so that it means the
// same whatever the search path is; what a name has found is asked after each execution.
#pragma once

#include "pg/spi.hpp"

#include <span>
#include <string>

namespace lockstep {

// Runs the statement with the caller's rights, in an open SPI session, by a plan that is kept; rows
// processed. 55006 where the statement did not read or write `table`: its name, or its schema's,
// was given to another one meanwhile.
uint64 execute_kept(const std::string &sql, std::span<const Oid> types,
                    const spi_parameters &parameters, Oid table);
// The same for a statement that reads no table.
uint64 execute_kept(const std::string &sql, std::span<const Oid> types,
                    const spi_parameters &parameters);

// The same, at most max_rows rows (0: all), by a plan that is made for these very values: it can
// use an index for them alone, where WHERE state = $1 could not use one with WHERE state = 'ready'.
// A plan is kept for values that come again, with them as constants: not made each time, then.
uint64 execute_for_values(const std::string &sql, std::span<const Oid> types,
                          const spi_parameters &parameters, Oid table, long max_rows);

// Whether the plan, as it was made last, is about this relation.
[[nodiscard]] bool is_about(SPIPlanPtr plan, Oid relation);

} // namespace lockstep
