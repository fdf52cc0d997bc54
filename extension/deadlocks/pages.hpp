// A remembered deadlock as a page for people, and as a drawing.
#pragma once

#include "deadlocks/history.hpp"

#include <string>

namespace lockstep {

[[nodiscard]] std::string text_page(deadlock_history &history, const remembered_deadlock &one);

// In the language of Graphviz.
[[nodiscard]] std::string dot_page(deadlock_history &history, const remembered_deadlock &one);

} // namespace lockstep
