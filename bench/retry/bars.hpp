// What retries are meant to reach, and what of the results is drawn.
#pragma once

#include "common/bar.hpp"
#include "common/chart.hpp"
#include "retry/figures.hpp"

#include <vector>

namespace lockstep::bench {

std::vector<bar> bars_of(const results &all);
// Two panels a state: commits a second, and how long it feels.
std::vector<panel> panels_of(const results &all);

} // namespace lockstep::bench
