// What transfers are meant to reach.
#pragma once

#include "common/bar.hpp"
#include "transfers/figures.hpp"
#include "transfers/options.hpp"

#include <vector>

namespace lockstep::bench {

// They stand on ids as the client makes them (version 7).
std::vector<bar> bars_of(const results &all, const options &wanted);

} // namespace lockstep::bench
