// One sample for the history: who holds the horizon at this moment, by kind, and who most of all.
#pragma once

namespace lockstep {

// Defines the history's setting, and while the server starts adds its sampler to those of the
// background worker.
void install_age_sampler();

} // namespace lockstep
