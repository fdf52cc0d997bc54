// The settings lockstep.age_*: when something that is old is worth a warning.
#pragma once

#include "core/age/judge.hpp"

#include "age/instant.h"

namespace lockstep::age_settings {

// Defines them; once, when the module is loaded.
void install();

// These, and what the server itself is set to at this instant.
[[nodiscard]] age::limits limits(const age_counters &now);

} // namespace lockstep::age_settings
