// A table of jobs that several workers empty, in two ways.
#pragma once

#include "common/session.hpp"

#include <span>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class way { usual, ours };
// partial: (id) WHERE state = 'ready'; full: (state, id)
enum class indexed { partial, full };

struct scene {
    indexed by = indexed::partial;
    int dead = 0;  // jobs that were done before, whose dead versions nobody has removed
    int claim = 1; // most jobs of a claim
    int jobs = 0;
};

struct drained {
    double jobs_per_second = 0;
    double server_us = 0; // processor time of the sessions' processes, a job
    std::vector<std::string> wrong;
};

std::string label_of(way how);
std::string name_of(const scene &where);

// A new table, with its dead jobs before those that are ready.
void fill(session &admin, const scene &where);

// One thread a connection; each claims, marks what it has got as done, and commits, until it gets
// nothing.
drained drain(session &admin, std::span<session> links, const scene &where, way how);

// Microseconds of one call that claims a job, with the way to the server and back, within one
// transaction.
double microseconds_of_call(session &link, way how, int calls);

} // namespace lockstep::bench
