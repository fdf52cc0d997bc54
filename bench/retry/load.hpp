// Load from several connections at once, for a while.
#pragma once

#include "common/session.hpp"
#include "retry/jobs.hpp"
#include "retry/options.hpp"
#include "retry/ways.hpp"

#include <cstdint>
#include <span>

namespace lockstep::bench {

struct load {
    way how = way::retry;
    job what = job::hot_row;
    bool flush = true;
    std::chrono::milliseconds warm_up{};
    std::chrono::milliseconds window{};
    std::uint64_t seed = 0;
};

// One measurement.
struct load_seen {
    double commits_per_second = 0; // that were acknowledged in the window
    // Of the transactions that began in the window, from the first attempt to the acknowledgement.
    double p50_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    double most_ms = 0;
    // Half of the connections' time goes into transactions at least so long. Where one connection
    // runs a thousand while another waits for its first, percentiles show the thousand; this does
    // not.
    double felt_ms = 0;
    double attempts = 0;       // a commit
    double attempts_p99 = 0;   // of the transactions
    double server_us = 0;      // processor time of the sessions' processes, a commit
    double slowest_share = 0;  // commits of the slowest connection, of the mean
    acknowledged by_clients{}; // with those of the warm-up
};

// One thread a connection. Each begins nothing after the window, and ends what it has begun.
load_seen run_load(std::span<session> links, const load &asked);

} // namespace lockstep::bench
