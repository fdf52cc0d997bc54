// The results for other programs.
#pragma once

#include "bars.hpp"
#include "figures.hpp"
#include "options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

// Throws when the file cannot be written.
void write_json(const options &wanted, const std::string &server_version, std::uint64_t seed,
                const cells &all, const std::vector<bar> &bars);

} // namespace lockstep::bench
