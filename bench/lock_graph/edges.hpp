// Whether the lock graph is right: the same edges as pg_blocking_pids(), the server's own answer.
#pragma once

#include "common/session.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

struct edge_check {
    std::size_t edges = 0;   // of pg_blocking_pids()
    std::size_t reduced = 0; // rows of lock_graph
    std::vector<std::string> differences;
};

// The state stands still, so that two questions see the same.
edge_check check_edges(session &monitor, int waiters);

} // namespace lockstep::bench
