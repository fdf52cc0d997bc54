// What was measured.
#pragma once

#include "common/bar.hpp"
#include "common/chart.hpp"
#include "common/statistics.hpp"
#include "isolation/load.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

struct conditions {
    int connections = 8;
    bool flush = true;

    friend bool operator==(const conditions &, const conditions &) = default;
};

// One way under load.
struct cell {
    conditions where;
    way which;
    std::vector<load_seen> turns; // in the order measured
};

struct results {
    std::vector<conditions> scenes; // in the order of the tables
    std::vector<cell> cells;
    std::vector<std::string> wrong;
};

// Null where it was not measured.
const cell *find(const results &all, const conditions &where, const way &which);
// One figure of every turn.
std::vector<double> each_turn(const cell &of, double load_seen::*figure);
inline double median(const cell &of, double load_seen::*figure) {
    return median(each_turn(of, figure));
}

// "8 connections, flush on"
std::string name_of(const conditions &where);

// What is meant to be reached, and what of the results is drawn.
std::vector<bar> bars_of(const results &all);
std::vector<panel> panels_of(const results &all);

} // namespace lockstep::bench
