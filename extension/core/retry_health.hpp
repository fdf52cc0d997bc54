// Whether work is done again too often: three figures of the last minute against their limits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lockstep::retry_health {

// What happened within a minute.
struct minute {
    std::int64_t transactions = 0; // committed, and could have conflicted
    std::int64_t conflicts = 0;    // errors of class 40
    std::int64_t deadlocks = 0;    // of these 40P01
    std::int64_t announced = 0;    // transactions that said which attempt they were
    std::int64_t attempts = 0;     // what they said, added up
};

// What is above one of them is a warning, or critical.
struct limits {
    double warning;
    double critical;
};

struct all_limits {
    limits retry_rate; // in percent
    limits mean_attempts;
    limits deadlocks; // in a minute
};

enum class status : std::uint8_t { ok, warning, critical };

struct finding {
    std::string_view metric;
    std::optional<double> value; // nothing where nothing happened that it could be taken from
    std::string_view unit;
    status level;
    limits at;
    std::string_view advice; // empty where all is well
};

// The rate of retries, the mean number of attempts, the deadlocks; in this order.
[[nodiscard]] std::array<finding, 3> judge(const minute &seen, const all_limits &set) noexcept;

// The words of the SQL view: ok, warning, critical.
[[nodiscard]] std::string_view to_string(status level) noexcept;

} // namespace lockstep::retry_health
