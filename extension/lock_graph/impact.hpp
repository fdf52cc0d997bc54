// What one root of the forest holds up: who waits for it, for how long, over what.
#pragma once

#include "lock_graph/wait_for_graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {

struct impact {
    std::int64_t longest_wait = 0; // microseconds
    std::int64_t sum_wait = 0;
    std::int64_t oldest_start = 0; // 0: not known
    std::int32_t waiting_users = 0;
    std::int32_t strongest_mode = 0; // of the locks that are waited for; 0: none
    const lock_object *strongest_lock = nullptr;
    std::vector<Oid> relations; // of this database, of the locks and rows that are waited for
    std::string chain;          // the deepest branch of its tree, the same for the same situation
};

class impacts {
  public:
    explicit impacts(wait_for_graph &seen);
    [[nodiscard]] impact of(std::int32_t root);

  private:
    wait_for_graph &graph_;
    std::vector<std::vector<std::int32_t>> edges_at_; // by root: the edges that end there
};

} // namespace lockstep
