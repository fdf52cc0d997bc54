// What the lock graph, and ages, are meant to reach. Said, and no more: times are noisy.
#pragma once

#include "common/bar.hpp"
#include "figures.hpp"

#include <vector>

namespace lockstep::bench {

std::vector<bar> bars_of(const cells &all);

} // namespace lockstep::bench
