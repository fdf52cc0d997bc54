// What of the results is drawn.
#pragma once

#include "common/chart.hpp"
#include "transfers/figures.hpp"

#include <vector>

namespace lockstep::bench {

// One panel for the big batches, and one for each state under load that bars stand on; transfers a
// second.
std::vector<panel> panels_of(const results &all);

} // namespace lockstep::bench
