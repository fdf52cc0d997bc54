// The results as a drawing: an SVG file of bars, transfers a second on a logarithmic scale.
#pragma once

#include "transfers/figures.hpp"

#include <string>

namespace lockstep::bench {

// One panel for the big batches, and one for each state under load that bars stand on.
std::string drawn(const results &all, const std::string &subtitle);

} // namespace lockstep::bench
