// What can be done about one root of the graph, and how urgent that is.
#pragma once

#include "lock_graph/impact.hpp"
#include "lock_graph/wait_for_graph.hpp"

#include "core/graph/advice.hpp"

#include <string>
#include <string_view>

namespace lockstep {

struct remedy {
    graph::verdict verdict;
    std::string_view advice;
    std::string action;  // what to run, once that is decided; empty where there is nothing
    bool ends_by_itself; // the server cancels it for those who wait
};

[[nodiscard]] remedy remedy_for(wait_for_graph &seen, const graph::forest::root &root,
                                const impact &found);

// What to run to end a session or a prepared transaction; empty where it is not to be ended.
[[nodiscard]] std::string action_for(const lock_process &process, const session &who);

} // namespace lockstep
