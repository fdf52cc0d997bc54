// How many sessions a newcomer would find before him at a row: whoever has it locked, and those who
// wait for it already. Nothing is waited for.
#pragma once

#include "pg/keyed_table.hpp"

#include <optional>

namespace lockstep {

// By the newest committed version of the row; nothing where no such row is there. Looks past row
// security: it is a number that anybody can read from pg_locks.
[[nodiscard]] std::optional<int> sessions_ahead(const keyed_table &target, Datum key);

} // namespace lockstep
