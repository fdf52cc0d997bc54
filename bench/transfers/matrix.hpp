// Every contestant under load: over how many rows, from how many connections, with which commit.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

void measure_matrix(stage &on);

// Measures the cell once more; the contestant's tables are checked after it.
void measure_once(stage &on, pool &links, cell &into, const std::shared_ptr<const keys> &from,
                  std::chrono::milliseconds window);

} // namespace lockstep::bench
