// What is printed, and the results for other programs.
#pragma once

#include "common/screen.hpp"
#include "isolation/figures.hpp"

#include <cstdint>

namespace lockstep::bench {

void print_scene(screen &out, const results &all, const conditions &where);
// True when nothing was wrong.
bool print_verdict(screen &out, const results &all);

// Throws when the file cannot be written.
void write_json(const std::string &path, const std::string &server_version, std::uint64_t seed,
                const results &all, const std::vector<bar> &bars);

} // namespace lockstep::bench
