// What was measured.
#pragma once

#include "common/statistics.hpp"
#include "retry/jobs.hpp"
#include "retry/load.hpp"
#include "retry/ways.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

struct conditions {
    job what = job::hot_row;
    int connections = 8;
    bool flush = true;

    friend bool operator==(const conditions &, const conditions &) = default;
};

// One way under load.
struct cell {
    conditions where;
    way how = way::retry;
    std::vector<load_seen> turns; // in the order measured
};

struct results {
    std::vector<conditions> scenes; // in the order of the tables
    std::vector<cell> cells;
    std::vector<std::string> wrong;
};

// Null where it was not measured.
const cell *find(const results &all, const conditions &where, way how);
// One figure of every turn.
std::vector<double> each_turn(const cell &of, double load_seen::*figure);
inline double median(const cell &of, double load_seen::*figure) {
    return median(each_turn(of, figure));
}

// "hot row, 8 connections, flush on"
std::string name_of(const conditions &where);

} // namespace lockstep::bench
