// How long to wait before the next attempt: full jitter, uniform between zero and a limit that
// doubles with each attempt up to a cap. Waiters that failed together do not come back together.
// The random bits are the caller's, so that the server and the client each use their own source,
// and tests none.
#pragma once

#include "export.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

struct backoff_range {
    std::chrono::microseconds base; // the first limit; zero or less: never wait
    std::chrono::microseconds cap;  // no limit grows beyond it
};

// What waits unless somebody says otherwise: after a conflict, after a lost session, and where the
// server has no room.
constexpr backoff_range conflict_backoff{std::chrono::milliseconds{4},
                                         std::chrono::milliseconds{250}};
constexpr backoff_range reconnect_backoff{std::chrono::milliseconds{50}, std::chrono::seconds{5}};
constexpr backoff_range capacity_backoff{std::chrono::milliseconds{200}, std::chrono::seconds{10}};

// The range for one who has so many others before him: each of them takes his turn, so the first
// limit is base * (1 + ahead). Negative is nobody.
[[nodiscard]] LOCKSTEP_EXPORT backoff_range behind(backoff_range range, int ahead) noexcept;

// What an attempt that ended in a deadlock tells of those who were in it.
struct deadlock_facts {
    std::chrono::microseconds length;  // of the attempt
    std::chrono::microseconds timeout; // deadlock_timeout, which the attempt has stood still for
    int others;                        // who were in it, or wait for their turn now
    int so_far;                        // deadlocks of the same work, this one included
};

// PostgreSQL's own deadlock_timeout, for one who cannot ask.
constexpr std::chrono::seconds usual_deadlock_timeout{1};

// The range after a deadlock: the turns of the others and our own. A turn lasts at first as long as
// the attempt has worked, and not less than the base; who comes back too early makes all of them
// stand still again, so it is four times that with each deadlock, up to all of the attempt's
// length. The cap is eight attempts where that is more. A base of zero or less still never waits.
[[nodiscard]] LOCKSTEP_EXPORT backoff_range after_deadlock(backoff_range range,
                                                           const deadlock_facts &seen) noexcept;

// How many others a deadlock was with, from its DETAIL, which has a line for each process in any
// language; 0 where it has none.
[[nodiscard]] LOCKSTEP_EXPORT int others_in_deadlock(std::string_view detail) noexcept;

// The range for a pause that must leave time for an attempt like the last before a deadline. Where
// there is none left it is the range as it was, and the pause ends after the deadline or not.
[[nodiscard]] LOCKSTEP_EXPORT backoff_range
leaving_time(backoff_range range, std::chrono::microseconds left,
             std::chrono::microseconds attempt) noexcept;

// min(cap, base * 2^nth), without overflow for any input; nth counts from 0, a negative one is 0.
[[nodiscard]] LOCKSTEP_EXPORT std::chrono::microseconds backoff_limit(backoff_range range,
                                                                      int nth) noexcept;

// Uniform over 0 to the limit, both included, from 64 uniform random bits.
[[nodiscard]] LOCKSTEP_EXPORT std::chrono::microseconds
full_jitter(backoff_range range, int nth, std::uint64_t random_bits) noexcept;

// What an error under contention says in its DETAIL, {"waiters_ahead": 3, "retry_after_ms": 16},
// and the second number read out of such a text; nothing where it has none. A wait is a millisecond
// at least. `first`: fields before these, with their commas.
[[nodiscard]] LOCKSTEP_EXPORT std::string
contention_detail(int ahead, std::chrono::microseconds wait, const std::string &first = {});
[[nodiscard]] LOCKSTEP_EXPORT std::optional<std::chrono::milliseconds>
suggested_wait(std::string_view detail) noexcept;

// Whole milliseconds, rounded up.
[[nodiscard]] LOCKSTEP_EXPORT std::chrono::milliseconds
to_milliseconds(std::chrono::microseconds wait) noexcept;

} // namespace lockstep
