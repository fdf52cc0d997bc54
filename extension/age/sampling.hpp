// One sample for the history: who holds the horizon at this moment, by kind, and who most of all.
#pragma once

namespace lockstep {

// Defines the settings of the history and of its sampler, and has the server start that.
void install_age_sampler();

} // namespace lockstep
