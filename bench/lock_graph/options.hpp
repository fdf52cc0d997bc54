// What the benchmark is asked to do.
#pragma once

#include "shapes.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

struct options {
    std::vector<int> waiters{1, 10, 100, 300, 1000};
    std::vector<shape> shapes = all_shapes();
    int other_locks = 24'000; // each state is measured without them, and with them; 0: without only
    int repetitions = 11;
    std::chrono::milliseconds cap{30'000};
    std::uint64_t seed = 0; // 0: another one each time
    std::string json;       // a file; empty: none
    std::string folder = LOCKSTEP_BENCH_FOLDER "/lock-graph";
};

} // namespace lockstep::bench
