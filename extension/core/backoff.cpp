#include "core/backoff.hpp"

#include <algorithm>

namespace lockstep {

using std::chrono::microseconds;

microseconds backoff_limit(backoff_range range, int nth) noexcept {
    const auto base = std::max<microseconds::rep>(range.base.count(), 0);
    const auto cap = std::max<microseconds::rep>(range.cap.count(), 0);
    const int shift = std::clamp(nth, 0, 62);
    // Asking whether base << shift passes the cap by shifting the cap down cannot overflow.
    return microseconds{base > (cap >> shift) ? cap : base << shift};
}

microseconds full_jitter(backoff_range range, int nth, std::uint64_t random_bits) noexcept {
    __extension__ using wide = unsigned __int128;
    const auto steps = static_cast<std::uint64_t>(backoff_limit(range, nth).count()) + 1;
    // The high word of the product: each step gets its share of the 2^64 inputs, to within one.
    return microseconds{static_cast<microseconds::rep>(wide{random_bits} * steps >> 64)};
}

} // namespace lockstep
