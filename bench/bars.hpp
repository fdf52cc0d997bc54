// What the lock graph is meant to reach. Said, and no more: times are noisy.
#pragma once

#include "figures.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

struct bar {
    std::string what;
    std::string figures;
    bool measured = true;
    bool met = false;
};

std::vector<bar> bars_of(const cells &all);

} // namespace lockstep::bench
