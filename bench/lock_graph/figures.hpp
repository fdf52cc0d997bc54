// What was measured, and the few statistics that it is told in.
#pragma once

#include "common/statistics.hpp"
#include "shapes.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

// One method on one state.
struct timing {
    std::vector<double> milliseconds; // in the order measured
    std::size_t rows = 0;
    bool timed_out = false; // here, or with fewer waiters: then it was not tried again
};

// One state. timings are in the order of all_methods().
struct cell {
    shape which = shape::hot_row;
    int waiters = 0;
    int other_locks = 0;
    std::size_t edges = 0;
    std::size_t reduced_edges = 0;
    std::vector<timing> timings;
    std::vector<double> held_us; // how long the lock manager was held for one snapshot
    int most_attempts = 0;       // that a snapshot took
    std::vector<std::string> differences;
};

using cells = std::vector<cell>;

// Null where it was not measured.
const cell *find(const cells &all, shape which, int waiters, int other_locks);

// "hot-row, 1,000 waiters, 24,000 other locks"
std::string name_of(const cell &state);
// Three digits that count.
std::string in_milliseconds(double value);

} // namespace lockstep::bench
