// One sample of the lock manager: who waits for whom, and what those who wait hold.
#pragma once

namespace lockstep {

// Defines the settings of the samples of locks, asks for their memory, and has the sampler take
// them.
void install_lock_sampler();

} // namespace lockstep
