#include "lock_graph/settings.hpp"

#include "pg/settings.hpp"

#include <climits>

namespace lockstep::blocking_settings {

namespace {

int warning_sessions = 3;
int warning_wait = 60;
int critical_sessions = 10;
int critical_wait = 300;

} // namespace

void install() {
    define_count("lockstep.blocking_warning_sessions",
                 "Sessions that wait for one root before root_blocker may warn.", &warning_sessions,
                 1, INT_MAX);
    define_seconds("lockstep.blocking_warning_wait",
                   "Longest wait before root_blocker may warn, with as many sessions.",
                   &warning_wait, 0);
    define_count("lockstep.blocking_critical_sessions",
                 "Sessions that wait for one root before root_blocker calls it critical.",
                 &critical_sessions, 1, INT_MAX);
    define_seconds("lockstep.blocking_critical_wait",
                   "Longest wait before root_blocker calls a root critical.", &critical_wait, 0);
}

graph::blocking_limits limits() {
    constexpr std::int64_t second = 1'000'000;
    return {warning_sessions, warning_wait * second, critical_sessions, critical_wait * second};
}

} // namespace lockstep::blocking_settings
