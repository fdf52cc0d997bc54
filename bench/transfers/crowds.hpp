// Many connections with one movement each, at one row and at many, and at one row with a slow disk:
// what submit is for, and what it must not cost.
#pragma once

#include "transfers/stage.hpp"

namespace lockstep::bench {

void measure_crowds(stage &on);

} // namespace lockstep::bench
