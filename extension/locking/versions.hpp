// Optimistic changes: a row is written where its version is the one that the caller has read, and
// the version is counted up.
#pragma once

#include "locking/table_use.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep {

// Writes the columns that the object names, and counts the version up; the new version. One
// statement, where the order guard lets the row be waited for; else the row is first tried (LS050).
// `version_column` empty: the ledger's, else "version".
// LS030 with the current version in DETAIL; LS003 where the caller has no such row to write; 42703
// where the table has no such column; 22023 where the object names the key, the version, or the
// amount of a ledger, which its movements change; 42804 where the version is no integer; 09000
// where a trigger has left the row as it was. What the column types, checks and policies raise,
// too.
[[nodiscard]] std::int64_t update_if_version(const table_use &use, Datum key,
                                             std::int64_t expected_version, Datum changes,
                                             const std::string &version_column);

} // namespace lockstep
