// How bad it is that something holds the horizon, or that a database gets old: by time, by
// transactions, and by who waits.
#pragma once

#include "core/age/claim.hpp"
#include "core/graph/advice.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::age {

enum class severity : std::uint8_t { ok, notice, warning, critical, emergency, stop };

[[nodiscard]] std::string_view severity_name(severity level);

struct time_limits {
    std::int64_t warning; // microseconds
    std::int64_t critical;
};

// What the server is set to, and what counts as late.
struct limits {
    time_limits idle;
    time_limits active;
    time_limits prepared;
    time_limits feedback;
    time_limits slot;
    std::int32_t warning_percent;  // of autovacuum_freeze_max_age
    std::int32_t critical_percent; // of autovacuum_freeze_max_age
    std::int64_t freeze_min_age;   // vacuum_freeze_min_age
    std::int64_t freeze_max_age;   // autovacuum_freeze_max_age
    std::int64_t failsafe_age;     // where vacuum drops everything else
    bool warns = false;            // the server warns of wraparound
    bool stops = false;            // ... and gives out no more transaction ids
};

// The limits of time for one kind; nothing where time alone is no fault.
[[nodiscard]] std::optional<time_limits> limits_of(holder_kind kind, const limits &all);

struct finding {
    severity level = severity::ok;
    std::string reason; // empty when all is well
};

struct circumstances {
    std::optional<std::int64_t> lasts; // microseconds: idle, running, prepared, by its kind
    std::optional<std::int64_t> xids;  // age of what it holds
    bool is_blamed = true;             // false: an echo, or one that holds no rows
    std::optional<graph::verdict> blocking;
};

// Whether as much of the horizon is held as makes vacuums against wraparound of no use.
[[nodiscard]] bool blocks_freezing(const circumstances &seen, const limits &all);

[[nodiscard]] finding judge(holder_kind kind, const circumstances &seen, const limits &all);

// A database by the age of its oldest transaction id, or of its oldest multixact.
struct database_age {
    std::int64_t age;
    std::int64_t freeze_max_age;
    std::int64_t failsafe_age;
    std::int64_t to_warning; // how many more until the server warns, and until it stops
    std::int64_t to_stop;
};
[[nodiscard]] finding judge_database(const database_age &seen, std::string_view what,
                                     const limits &all);

} // namespace lockstep::age
