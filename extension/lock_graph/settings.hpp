// The settings lockstep.blocking_*: when a root blocker is worth a warning.
#pragma once

#include "core/graph/advice.hpp"

namespace lockstep::blocking_settings {

// Defines them; once, when the module is loaded.
void install();

[[nodiscard]] graph::blocking_limits limits();

} // namespace lockstep::blocking_settings
