// Rows of several tables, locked in one order: tables by schema and name, then rows by their keys.
#pragma once

#include "pg/arrays.hpp"

#include "core/row_lock.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace lockstep {

// Keys of one table, and how their rows are to be locked. A table may come more than once.
struct lock_set {
    Oid table;
    array_elements keys;
    lock_strength strength;
};

// A key that was asked for, by its place.
struct asked_key {
    std::size_t set;
    std::size_t item;
};

// Locks them; the first place of each key whose row is locked now, in the order of locking. A row
// that is asked for more than once is locked in the strongest of the strengths. Needs an open SPI
// session. Errors as for table_use and lock_rows().
[[nodiscard]] std::vector<asked_key> lock_all(std::span<const lock_set> sets, lock_wait wait);

} // namespace lockstep
