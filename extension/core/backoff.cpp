#include "core/backoff.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace lockstep {

using std::chrono::microseconds;
using std::chrono::milliseconds;

backoff_range behind(backoff_range range, int ahead) noexcept {
    const auto most = std::numeric_limits<microseconds::rep>::max();
    const auto turns = static_cast<microseconds::rep>(std::max(ahead, 0)) + 1;
    const auto base = range.base.count();
    return {microseconds{base > most / turns ? most : base * turns}, range.cap};
}

backoff_range after_deadlock(backoff_range range, const deadlock_facts &seen) noexcept {
    if (range.base <= microseconds::zero())
        return range;
    constexpr int longest_wait = 3; // doublings of the attempt's length
    const microseconds length = std::max(seen.length, microseconds{1});
    const microseconds stood_still = std::clamp(seen.timeout, microseconds{0}, length);
    const microseconds worked = std::max(length - stood_still, range.base);
    // Two doublings a deadlock.
    const microseconds turn =
        backoff_limit({worked, length}, 2 * (std::clamp(seen.so_far, 1, 32) - 1));
    const microseconds longest = backoff_limit({length, microseconds::max()}, longest_wait);
    return behind({turn, std::max(range.cap, longest)}, seen.others);
}

int others_in_deadlock(std::string_view detail) noexcept {
    return static_cast<int>(std::count(detail.begin(), detail.end(), '\n'));
}

backoff_range leaving_time(backoff_range range, microseconds left, microseconds attempt) noexcept {
    const microseconds rest = left - attempt;
    return {range.base, rest > microseconds::zero() ? std::min(range.cap, rest) : range.cap};
}

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

milliseconds to_milliseconds(microseconds wait) noexcept {
    return std::chrono::ceil<milliseconds>(wait);
}

namespace {
constexpr std::string_view wait_field = "\"retry_after_ms\": ";
}

std::string contention_detail(int ahead, microseconds wait, const std::string &first) {
    const auto rounded = std::max(to_milliseconds(wait), milliseconds{1});
    return "{" + first + "\"waiters_ahead\": " + std::to_string(std::max(ahead, 0)) + ", " +
           std::string{wait_field} + std::to_string(rounded.count()) + "}";
}

std::optional<milliseconds> suggested_wait(std::string_view detail) noexcept {
    const auto at = detail.find(wait_field);
    if (at == std::string_view::npos)
        return std::nullopt;
    const std::string_view digits = detail.substr(at + wait_field.size());
    int value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc{} || value < 0)
        return std::nullopt;
    return milliseconds{value};
}

} // namespace lockstep
