// What the benchmark is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class way { one_statement, by_hand, in_chunks };

inline const std::vector<way> &all_ways() {
    static const std::vector<way> all{way::one_statement, way::by_hand, way::in_chunks};
    return all;
}

struct options {
    std::vector<way> ways = all_ways();
    int rows = 100'000;
    int ids = 80'000; // of each session
    int sessions = 20;
    int chunk_size = 1000;
    int repetitions = 1;
    std::chrono::seconds cap{600}; // after it a way is cancelled
    std::uint64_t seed = 0;        // 0: another one each time
    std::string json;              // a file; empty: none
    std::string folder = LOCKSTEP_BENCH_FOLDER "/chunks";
};

} // namespace lockstep::bench
