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

// What stands where nobody waits: that, and when.
[[nodiscard]] std::string nobody_text(const wait_for_graph &seen);

// Whether its statement is running; else it is its last one, and what it holds may be from before.
[[nodiscard]] bool runs_query(wait_for_graph &seen, std::int32_t node);

// The statement, cut to a line of so many characters at most; empty where it is not to be seen.
[[nodiscard]] std::string short_query(wait_for_graph &seen, std::int32_t node, int characters);

} // namespace lockstep
