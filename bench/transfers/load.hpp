// Load from several connections at once, for a while.
#pragma once

#include "transfers/contestants.hpp"
#include "transfers/workload.hpp"

#include "common/session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::bench {

struct load {
    contestant who;
    std::shared_ptr<const keys> from;
    id_kind ids = id_kind::ascending;
    bool flush = true;
    std::chrono::milliseconds slower{0}; // each flush
    std::chrono::milliseconds warm_up{100};
    std::chrono::milliseconds window{500};
    std::uint64_t seed = 0;
};

struct load_seen {
    double seconds = 0;        // from the start of the first to the end of the last
    std::size_t transfers = 0; // in these seconds
    std::size_t booked = 0;    // and those of the warm-up
    std::vector<double> calls; // milliseconds each, in these seconds
};

// One thread a connection. Each begins no call after the window, and ends the one it has begun.
load_seen run_load(std::span<session> links, const load &what);

} // namespace lockstep::bench
