#include "core/retry_health.hpp"

namespace lockstep::retry_health {

namespace {

std::optional<double> quotient(double part, double whole) {
    if (whole <= 0)
        return std::nullopt;
    return part / whole;
}

status level_of(std::optional<double> value, const limits &at) {
    if (!value)
        return status::ok;
    if (*value > at.critical)
        return status::critical;
    return *value > at.warning ? status::warning : status::ok;
}

finding found(std::string_view metric, std::optional<double> value, std::string_view unit,
              const limits &at, std::string_view advice) {
    const status level = level_of(value, at);
    return {metric, value, unit, level, at, level == status::ok ? std::string_view{} : advice};
}

} // namespace

std::array<finding, 3> judge(const minute &seen, const all_limits &set) noexcept {
    const auto conflicts = static_cast<double>(seen.conflicts);
    const auto ended = conflicts + static_cast<double>(seen.transactions);
    return {found("retry_rate", quotient(100 * conflicts, ended), "percent", set.retry_rate,
                  "Look in retry_stats for the state, and in lock_graph for the rows that many "
                  "transactions want; make these transactions shorter, or lock such rows first."),
            found("mean_attempts",
                  quotient(static_cast<double>(seen.attempts), static_cast<double>(seen.announced)),
                  "attempts", set.mean_attempts,
                  "Transactions meet again when they try again: let them wait longer, with a "
                  "random part, or take what they all want one after the other."),
            found("deadlocks", static_cast<double>(seen.deadlocks), "per minute", set.deadlocks,
                  "Some code takes locks in another order than other code; the log of the server "
                  "has the statements of each deadlock.")};
}

std::string_view to_string(status level) noexcept {
    switch (level) {
    case status::ok: return "ok";
    case status::warning: return "warning";
    case status::critical: break;
    }
    return "critical";
}

} // namespace lockstep::retry_health
