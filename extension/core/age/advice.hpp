// What a person can do about a holder. Nothing here does it.
#pragma once

#include "core/age/claim.hpp"
#include "core/graph/advice.hpp"

#include <string_view>

namespace lockstep::age {

struct situation {
    holder_kind kind = holder_kind::active;
    graph::activity doing = graph::activity::hidden;
    bool is_echo = false;
    bool is_lazy_vacuum = false;
    bool is_wraparound = false; // an autovacuum against wraparound
    bool is_connected = true;   // somebody uses the slot; the owner of the temporary tables lives
    bool has_feedback = false;  // the slot holds rows, not just catalogs
};

// In full sentences, by what it is; never empty.
[[nodiscard]] std::string_view advice_for(const situation &seen);

// For a database that gets old.
[[nodiscard]] std::string_view database_advice(bool has_holder, bool is_urgent);

} // namespace lockstep::age
