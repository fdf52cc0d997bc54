// What is meant to be reached, and whether it was. Said, and no more: times are noisy.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace lockstep::bench {

struct bar {
    std::string what;
    std::string figures;
    bool measured = true;
    bool met = false;
};

nlohmann::ordered_json json_of(const std::vector<bar> &all);

// Throws std::runtime_error when the file cannot be written.
void write_file(const std::string &path, const std::string &text);

} // namespace lockstep::bench
