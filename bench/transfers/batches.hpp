// Batches on one connection, a call at a time: warm and cold, with ids of both kinds, and as they
// grow.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

void measure_batches(stage &on);
void measure_growth(stage &on);

} // namespace lockstep::bench
