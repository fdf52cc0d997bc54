// The settings of retry_health: from when on work is done again too often.
#pragma once

#include "core/retry_health.hpp"

namespace lockstep::retry_settings {

// Defines them; once, when the module is loaded.
void install();

[[nodiscard]] retry_health::all_limits limits();

} // namespace lockstep::retry_settings
