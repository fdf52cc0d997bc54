// The legs of a journal: what each of its rows has done to the row of the ledger that gave, and to
// the one that took.
#pragma once

#include <string>

namespace lockstep {

// A query for all legs: entry, request_id, key, change, balance (after it). The journal's name is
// qualified. Refusals have none.
[[nodiscard]] std::string legs_of(const std::string &journal);

} // namespace lockstep
