// The graph as a drawing: which sessions and edges are in it, and what stands beside them.
#pragma once

#include "lock_graph/wait_for_graph.hpp"

#include "core/graph/drawing.hpp"

#include <cstddef>
#include <vector>

namespace lockstep {

struct drawing {
    std::vector<graph::drawn_node> nodes;
    std::vector<graph::drawn_edge> edges;
};

// At most so many sessions, in the order of the tree, so that what blocks most is there; the rest
// is counted. `reduced` leaves out the edges that others imply. Where nobody waits, a note says so.
[[nodiscard]] drawing drawing_of(wait_for_graph &seen, bool reduced, std::size_t most);

} // namespace lockstep
