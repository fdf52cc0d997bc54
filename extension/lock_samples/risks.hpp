// Orders of locks that are inverted, among the pairs that were sampled.
#pragma once

#include "activity/catalogs.hpp"
#include "lock_samples/pairs.h"

#include <span>
#include <string>
#include <vector>

namespace lockstep {

// Pairs that each want what the next one holds, and the last what the first holds.
using lock_risk = std::vector<sampled_pair>;

// Those that were seen most come first; without those of a relation of this database that is gone.
[[nodiscard]] std::vector<lock_risk> lock_risks_in(std::span<const sampled_pair> pairs,
                                                   const catalogs &names);

// Modes of table locks, weakest first.
[[nodiscard]] std::string held_text(const sampled_pair &pair);
// The mode of a table lock, or how the row would be locked.
[[nodiscard]] std::string wanted_text(const sampled_pair &pair);

// What a person can do about it.
[[nodiscard]] std::string advice_on(const lock_risk &risk, catalogs &names);

} // namespace lockstep
