// Points in time until which something may last, on the clock that nobody sets.
#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

namespace lockstep::detail {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

// A time point that adding a very long duration cannot push over the end.
[[nodiscard]] inline time_point after(clock::duration duration) {
    const auto now = clock::now();
    return duration > time_point::max() - now ? time_point::max() : now + duration;
}

[[nodiscard]] inline std::chrono::microseconds left_until(time_point deadline) {
    const auto left = deadline - clock::now();
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::max(left, clock::duration::zero()));
}

// For poll(2): rounded up, so that a wait does not spin through its last millisecond.
[[nodiscard]] inline int poll_timeout(time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(left_until(deadline)).count();
    return static_cast<int>(std::min<decltype(left)>(left, INT_MAX));
}

} // namespace lockstep::detail
