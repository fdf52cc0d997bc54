// A session of the graph in a few words, for trees and drawings.
#pragma once

#include "lock_graph/wait_for_graph.hpp"

#include <cstdint>
#include <string>

namespace lockstep {

// Who: pid, role and application, or the prepared transaction.
[[nodiscard]] std::string who_text(wait_for_graph &seen, std::int32_t node);

// What it waits for; at a root what it does and how many it holds up.
[[nodiscard]] std::string does_text(wait_for_graph &seen, std::int32_t node);

// Both in one line, and whom else it waits for.
[[nodiscard]] std::string line_text(wait_for_graph &seen, std::int32_t node);

// The heading of a cycle that waits for nobody outside.
[[nodiscard]] std::string cycle_text(const graph::forest::root &root);

// The statement, cut to a line of so many characters at most; empty where it is not to be seen.
[[nodiscard]] std::string short_query(wait_for_graph &seen, std::int32_t node, int characters);

} // namespace lockstep
