// How long to wait before the next attempt: full jitter, uniform between zero and a limit that
// doubles with each attempt up to a cap. Waiters that failed together do not come back together.
// The random bits are the caller's, so that the server and the client each use their own source,
// and tests none.
#pragma once

#include <chrono>
#include <cstdint>

namespace lockstep {

struct backoff_range {
    std::chrono::microseconds base; // the first limit; zero or less: never wait
    std::chrono::microseconds cap;  // no limit grows beyond it
};

// min(cap, base * 2^nth), without overflow for any input; nth counts from 0, a negative one is 0.
[[nodiscard]] std::chrono::microseconds backoff_limit(backoff_range range, int nth) noexcept;

// Uniform over 0 to the limit, both included, from 64 uniform random bits.
[[nodiscard]] std::chrono::microseconds full_jitter(backoff_range range, int nth,
                                                    std::uint64_t random_bits) noexcept;

} // namespace lockstep
