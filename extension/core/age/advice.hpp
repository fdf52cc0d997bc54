// What a person can do about a holder. Nothing here does it.
#pragma once

#include "core/age/horizon_holder.hpp"
#include "core/graph/advice.hpp"

#include <cstdint>
#include <string>

namespace lockstep::age {

struct situation {
    holder_kind kind = holder_kind::active;
    graph::activity doing = graph::activity::hidden;
    bool is_echo = false;
    bool is_lazy_vacuum = false;
    bool is_wraparound = false; // an autovacuum against wraparound
    bool is_connected = true;   // somebody uses the slot; the owner of the temporary tables lives
    bool holds_rows = true;     // the slot keeps more than WAL
    bool is_invalid = false;    // the server has given the slot up
    bool is_aborted = false;    // its transaction has failed already
    bool is_blocking = false;   // somebody waits for it
    std::string waits_for;      // it waits for a lock itself: for whom
};

// In full sentences, by what it is; never empty.
[[nodiscard]] std::string advice_for(const situation &seen);

// For a database that gets old.
struct database_situation {
    std::int32_t holders = 0; // so many keep it above the limit
    bool is_urgent = false;
    bool takes_connections = true;
    bool is_here = true; // the current database: its temporary tables are seen
    bool is_standby = false;
};
[[nodiscard]] std::string database_advice(const database_situation &seen);

} // namespace lockstep::age
