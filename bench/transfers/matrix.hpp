// Every contestant under load: over how many rows, from how many connections, with which commit.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

void measure_matrix(stage &on);

// Transfers a second of one contestant; its tables are checked after it.
double rate_under_load(stage &on, pool &links, const conditions &where, const contestant &who,
                       const std::shared_ptr<const keys> &from, std::chrono::milliseconds window);

} // namespace lockstep::bench
