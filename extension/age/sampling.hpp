// One sample for the history: who holds the horizon at this moment, by kind, and who most of all.
#pragma once

namespace lockstep {

// Adds the sampler of the history to those of the background worker; while the server starts.
void install_age_sampler();

} // namespace lockstep
