// The results for other programs.
#pragma once

#include "common/bar.hpp"
#include "retry/figures.hpp"
#include "retry/long_attempts.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

// Throws when the file cannot be written.
void write_json(const std::string &path, const std::string &server_version, std::uint64_t seed,
                const results &all, const long_attempts_results &long_ones,
                const std::vector<bar> &bars);

} // namespace lockstep::bench
