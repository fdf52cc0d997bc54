// What the demo is asked to do.
#pragma once

#include <lockstep/isolation.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace lockstep::demo {

struct options {
    std::chrono::seconds duration{15};
    int threads = 16;
    int hot_rows = 10;                         // half of all transfers are between these
    std::chrono::milliseconds kill_every{250}; // 0: nobody is killed
    int scale = 1;                             // of pgbench: 100,000 accounts each
    isolation level = isolation::read_committed;
    std::uint64_t seed = 0; // 0: another one each time
    std::string folder = LOCKSTEP_DEMO_FOLDER;
};

} // namespace lockstep::demo
