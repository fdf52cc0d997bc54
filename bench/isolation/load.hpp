// Load from several connections at once, for a while.
#pragma once

#include "isolation/options.hpp"
#include "isolation/teller.hpp"

#include <span>

namespace lockstep::bench {

struct load {
    way which;
    bool flush = true;
    std::chrono::milliseconds warm_up{};
    std::chrono::milliseconds window{};
    std::uint64_t seed = 0;
};

// One measurement.
struct load_seen {
    double commits_per_second = 0; // that were acknowledged in the window
    // Of the transfers that began in the window.
    double serialization = 0; // 40001, for 100 commits
    double deadlocks = 0;     // 40P01, for 100 commits
    double p50_ms = 0;        // from the first attempt to the acknowledgement
    double p99_ms = 0;
    double server_us = 0;      // processor time of the sessions' processes, a commit
    acknowledged by_clients{}; // with those of the warm-up
};

// One thread a connection. Each begins nothing after the window, and ends what it has begun.
load_seen run_load(std::span<session> links, const bank &under, const load &asked);

} // namespace lockstep::bench
