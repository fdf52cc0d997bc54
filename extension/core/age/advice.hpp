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
struct database_situation {
    bool has_holder = false; // somebody keeps it from getting younger
    bool is_urgent = false;
    bool takes_connections = true;
};
[[nodiscard]] std::string_view database_advice(const database_situation &seen);

} // namespace lockstep::age
