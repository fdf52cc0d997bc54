// Every contestant under load: over how many rows, from how many connections, with which commit.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

void measure_matrix(stage &on);

} // namespace lockstep::bench
