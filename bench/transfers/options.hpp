// What the benchmark is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

// tiny: a few transfers of everything, for a test. full: every state of the matrix.
enum class extent { tiny, quick, usual, full };

struct options {
    extent how_much = extent::usual;
    std::vector<std::string> parts{"batches", "costs", "growth", "load", "crowds"};
    std::int64_t rows = 100'000;
    std::chrono::milliseconds window{500};     // of one measurement of the matrix
    std::chrono::milliseconds bar_window{800}; // and of those that bars stand on
    int repetitions = 3;
    int bar_repetitions = 5;
    std::uint64_t seed = 0; // 0: another one each time
    std::string output = LOCKSTEP_BENCH_FOLDER;
    std::string folder = LOCKSTEP_BENCH_FOLDER "/transfers";
};

} // namespace lockstep::bench
