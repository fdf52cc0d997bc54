// What the benchmark is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

// tiny: a few transfers in every way, for a test.
enum class extent { tiny, quick, usual, full };

struct options {
    extent how_much = extent::usual;
    std::vector<int> connections{1, 8, 24};
    int rows = 100; // that all transfers are between
    std::chrono::milliseconds warm_up{200};
    std::chrono::milliseconds window{1500};
    int repetitions = 5;
    std::uint64_t seed = 0; // 0: another one each time
    std::string output = LOCKSTEP_BENCH_FOLDER;
    std::string folder = LOCKSTEP_BENCH_FOLDER "/isolation";
};

} // namespace lockstep::bench
