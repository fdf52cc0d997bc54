// The settings of the waits after a conflict, which movements suggest and retry keeps.
#pragma once

#include "core/backoff.hpp"

namespace lockstep {

// Defines lockstep.backoff_base and lockstep.backoff_cap. Once, when the module is loaded.
void install_backoff_settings();

// The range of the waits after a conflict, as it is set.
[[nodiscard]] backoff_range conflict_range();

// How long one should wait who has so many before him: their turns, up to the cap.
[[nodiscard]] std::chrono::microseconds wait_behind(int ahead);

} // namespace lockstep
