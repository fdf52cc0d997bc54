// How bad a root of the lock graph is, and what a person can do about it. Nothing here does it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::graph {

// When a root is worth a warning, and when somebody should be woken. Both the number of those who
// wait and the time have to be reached for a warning; one of them is enough for the other.
struct blocking_limits {
    std::int32_t warning_sessions = 3;
    std::int64_t warning_wait = 60'000'000; // microseconds
    std::int32_t critical_sessions = 10;
    std::int64_t critical_wait = 300'000'000;
};

struct verdict {
    std::string_view severity; // notice, warning, critical
    std::string reason;
};

[[nodiscard]] verdict judge(std::int32_t blocked, std::int64_t longest_wait,
                            const blocking_limits &limits);

// What a session is doing.
enum class activity : std::uint8_t {
    hidden,     // the caller may not see it
    unreported, // the server does not know
    active,
    idle_in_transaction,
    idle // no transaction: it holds a lock of the session
};

// What to do, in full sentences, by the kind of the root.
[[nodiscard]] std::string_view advice_for(std::string_view kind, activity doing);

} // namespace lockstep::graph
