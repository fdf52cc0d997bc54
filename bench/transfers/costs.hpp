// What a transfer writes to the log, and how many transaction ids a call takes.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

// One connection, and nobody else at work. Every page was touched since the last checkpoint, so the
// log holds changes, and no images of pages.
void measure_costs(stage &on);

} // namespace lockstep::bench
