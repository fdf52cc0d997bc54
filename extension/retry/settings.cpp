#include "retry/settings.hpp"

#include "pg/settings.hpp"

#include <climits>

namespace lockstep::retry_settings {

namespace {

double rate_warning = 5;
double rate_critical = 20;
double attempts_warning = 2;
double attempts_critical = 5;
int deadlocks_warning = 1;
int deadlocks_critical = 10;

} // namespace

void install() {
    constexpr double most_percent = 100;
    constexpr double most_attempts = 100000;
    define_number("lockstep.retry_rate_warning",
                  "Percent of conflicts above which retry_health warns.", &rate_warning, 0,
                  most_percent);
    define_number("lockstep.retry_rate_critical",
                  "Percent of conflicts above which retry_health is critical.", &rate_critical, 0,
                  most_percent);
    define_number("lockstep.mean_attempts_warning",
                  "Mean number of attempts above which retry_health warns.", &attempts_warning, 0,
                  most_attempts);
    define_number("lockstep.mean_attempts_critical",
                  "Mean number of attempts above which retry_health is critical.",
                  &attempts_critical, 0, most_attempts);
    define_count("lockstep.deadlocks_warning",
                 "Deadlocks of a minute above which retry_health warns.", &deadlocks_warning, 0,
                 INT_MAX);
    define_count("lockstep.deadlocks_critical",
                 "Deadlocks of a minute above which retry_health is critical.", &deadlocks_critical,
                 0, INT_MAX);
}

retry_health::all_limits limits() {
    return {{rate_warning, rate_critical},
            {attempts_warning, attempts_critical},
            {static_cast<double>(deadlocks_warning), static_cast<double>(deadlocks_critical)}};
}

} // namespace lockstep::retry_settings
