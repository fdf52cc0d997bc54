// How bad it is that something holds the horizon, or that a database gets old: by time, by
// transactions, and by who waits.
#pragma once

#include "core/age/horizon_holder.hpp"
#include "core/graph/advice.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::age {

// Unknown: not all of it may be seen by the caller, and of what he sees nothing is wrong.
enum class severity : std::uint8_t { ok, unknown, notice, warning, critical, emergency, stop };

[[nodiscard]] std::string_view severity_name(severity level);

struct time_limits {
    std::int64_t warning;  // microseconds; less than zero: none
    std::int64_t critical; // microseconds; less than zero: none
};

struct percent_limits {
    std::int32_t warning;
    std::int32_t critical;
};

// What the server is set to, and what counts as late.
struct limits {
    time_limits idle;
    time_limits active;
    time_limits prepared;
    time_limits feedback;
    time_limits slot;
    percent_limits held;             // of freeze_max_age, what a holder holds
    percent_limits database;         // of freeze_max_age, how old a database is
    percent_limits wal;              // of wal_size, what a slot keeps
    std::int64_t freeze_min_age;     // vacuum_freeze_min_age
    std::int64_t freeze_max_age;     // autovacuum_freeze_max_age
    std::int64_t failsafe_age;       // where vacuum drops everything else
    std::int64_t wal_size = 0;       // max_wal_size, in bytes
    std::int64_t slot_wal_size = -1; // max_slot_wal_keep_size, in bytes; less than zero: none
    bool warns = false;              // the server warns of wraparound
    bool stops = false;              // ... and gives out no more transaction ids
};

// The limits of time for one kind; nothing where time alone is no fault.
[[nodiscard]] std::optional<time_limits> limits_of(holder_kind kind, const limits &all);

struct finding {
    severity level = severity::ok;
    std::string reason; // empty when all is well
};

struct circumstances {
    std::optional<std::int64_t> lasts;    // microseconds: idle, running, prepared, by its kind
    std::optional<std::int64_t> open_for; // microseconds: an idle session's whole transaction
    std::optional<std::int64_t> xids;     // age of what it holds
    bool is_blamed = true;                // false: an echo, or one that holds no rows
    bool holds_nothing = false;           // no horizon: then time is no more than a warning
    bool is_hidden = false;               // what it does is not for the caller
    bool is_invalid = false;              // a slot that the server has given up
    std::optional<std::int64_t> wal;      // bytes that a slot keeps
    std::optional<graph::verdict> blocking;
};

// Whether as much of the horizon is held as makes vacuums against wraparound of no use.
[[nodiscard]] bool blocks_freezing(const circumstances &seen, const limits &all);

[[nodiscard]] finding judge(holder_kind kind, const circumstances &seen, const limits &all);

// A database by the age of its oldest transaction id, or of its oldest multixact.
struct database_age {
    bool is_held; // somebody keeps it above freeze_max_age
    std::int64_t age;
    std::int64_t freeze_max_age;
    std::int64_t failsafe_age;
    std::int64_t to_warning; // how many more until the server warns, and until it stops
    std::int64_t to_stop;
};
[[nodiscard]] finding judge_database(const database_age &seen, std::string_view what,
                                     const percent_limits &late);

} // namespace lockstep::age
