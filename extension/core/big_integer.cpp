#include "core/big_integer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>
#include <utility>

namespace lockstep {

namespace {

constexpr int limb_digits = 9;
constexpr std::uint32_t base = 1'000'000'000;

constexpr auto powers_of_ten = [] {
    std::array<std::uint32_t, limb_digits + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

using limbs = std::vector<std::uint32_t>;

// By size alone.
std::strong_ordering compared(const limbs &a, const limbs &b) noexcept {
    if (a.size() != b.size())
        return a.size() <=> b.size();
    return std::lexicographical_compare_three_way(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

limbs sum(const limbs &longer, const limbs &shorter) {
    limbs result = longer;
    std::uint32_t carry = 0;
    for (std::size_t i = 0; i < result.size() && (i < shorter.size() || carry != 0); ++i) {
        result[i] += carry + (i < shorter.size() ? shorter[i] : 0);
        carry = result[i] >= base ? 1 : 0;
        result[i] -= carry * base;
    }
    if (carry != 0)
        result.push_back(carry);
    return result;
}

// The smaller is taken from the larger.
limbs difference(const limbs &larger, const limbs &smaller) {
    limbs result = larger;
    std::uint32_t borrow = 0;
    for (std::size_t i = 0; i < result.size() && (i < smaller.size() || borrow != 0); ++i) {
        const std::uint32_t taken = borrow + (i < smaller.size() ? smaller[i] : 0);
        borrow = result[i] < taken ? 1 : 0;
        result[i] += borrow * base - taken;
    }
    return result;
}

} // namespace

big_integer::big_integer(limbs magnitude, bool negative)
    : limbs_(std::move(magnitude)), negative_(negative) {
    while (!limbs_.empty() && limbs_.back() == 0)
        limbs_.pop_back();
    if (limbs_.empty())
        negative_ = false;
}

big_integer::big_integer(int128 value) : negative_(value < 0) {
    // Its remainders have its sign: the smallest number has no positive counterpart.
    for (; value != 0; value /= base) {
        const auto rest = static_cast<std::int32_t>(value % base);
        limbs_.push_back(static_cast<std::uint32_t>(rest < 0 ? -rest : rest));
    }
}

big_integer big_integer::of_digits(std::string_view digits) {
    limbs magnitude;
    magnitude.reserve(digits.size() / limb_digits + 1);
    while (!digits.empty()) {
        const std::size_t count = std::min<std::size_t>(digits.size(), limb_digits);
        std::uint32_t limb = 0;
        for (const char digit : digits.substr(digits.size() - count))
            limb = limb * 10 + static_cast<std::uint32_t>(digit - '0');
        magnitude.push_back(limb);
        digits.remove_suffix(count);
    }
    return {std::move(magnitude), false};
}

int big_integer::digits() const noexcept {
    if (limbs_.empty())
        return 0;
    const auto highest =
        std::upper_bound(powers_of_ten.begin(), powers_of_ten.end(), limbs_.back());
    return static_cast<int>(limbs_.size() - 1) * limb_digits +
           static_cast<int>(highest - powers_of_ten.begin());
}

int big_integer::trailing_zeros() const noexcept {
    const auto lowest =
        std::find_if(limbs_.begin(), limbs_.end(), [](std::uint32_t limb) { return limb != 0; });
    if (lowest == limbs_.end())
        return 0;
    int zeros = static_cast<int>(lowest - limbs_.begin()) * limb_digits;
    for (std::uint32_t rest = *lowest; rest % 10 == 0; rest /= 10)
        ++zeros;
    return zeros;
}

std::optional<int128> big_integer::as_int128() const noexcept {
    constexpr int most_digits = 38;
    if (digits() > most_digits)
        return std::nullopt;
    int128 value = 0;
    for (const std::uint32_t limb : std::ranges::reverse_view(limbs_))
        value = value * base + static_cast<int128>(limb);
    return negative_ ? -value : value;
}

std::string big_integer::magnitude() const {
    if (limbs_.empty())
        return "0";
    std::string text = std::to_string(limbs_.back());
    text.reserve(limbs_.size() * limb_digits);
    for (auto limb = limbs_.rbegin() + 1; limb != limbs_.rend(); ++limb) {
        const std::string digits = std::to_string(*limb);
        text.append(limb_digits - digits.size(), '0').append(digits);
    }
    return text;
}

big_integer big_integer::negated() const {
    return {limbs_, !negative_};
}

big_integer big_integer::plus(const big_integer &other) const {
    const bool is_larger = compared(limbs_, other.limbs_) >= 0;
    const big_integer &larger = is_larger ? *this : other;
    const big_integer &smaller = is_larger ? other : *this;
    return {larger.negative_ == smaller.negative_ ? sum(larger.limbs_, smaller.limbs_)
                                                  : difference(larger.limbs_, smaller.limbs_),
            larger.negative_};
}

big_integer big_integer::times_power_of_ten(int power) const {
    const auto factor = powers_of_ten[static_cast<std::size_t>(power % limb_digits)];
    limbs result(static_cast<std::size_t>(power / limb_digits), 0);
    result.reserve(result.size() + limbs_.size() + 1);
    std::uint64_t carry = 0;
    for (const std::uint32_t limb : limbs_) {
        carry += std::uint64_t{limb} * factor;
        result.push_back(static_cast<std::uint32_t>(carry % base));
        carry /= base;
    }
    result.push_back(static_cast<std::uint32_t>(carry));
    return {std::move(result), negative_};
}

std::optional<big_integer> big_integer::divided_by_power_of_ten(int power) const {
    if (is_zero() || power == 0)
        return *this;
    if (trailing_zeros() < power)
        return std::nullopt;
    const auto divisor = powers_of_ten[static_cast<std::size_t>(power % limb_digits)];
    limbs result(limbs_.begin() + power / limb_digits, limbs_.end());
    std::uint64_t rest = 0;
    for (std::uint32_t &limb : std::ranges::reverse_view(result)) {
        rest = rest * base + limb;
        limb = static_cast<std::uint32_t>(rest / divisor);
        rest %= divisor;
    }
    return big_integer{std::move(result), negative_};
}

big_integer big_integer::with_zeros(int count) const {
    limbs result = limbs_;
    const std::size_t whole =
        std::min(result.size(), static_cast<std::size_t>(count / limb_digits));
    std::fill_n(result.begin(), whole, 0);
    if (whole < result.size())
        result[whole] -=
            result[whole] % powers_of_ten[static_cast<std::size_t>(count % limb_digits)];
    return {std::move(result), negative_};
}

std::strong_ordering big_integer::compared_to(const big_integer &other) const noexcept {
    if (negative_ != other.negative_)
        return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
    return negative_ ? compared(other.limbs_, limbs_) : compared(limbs_, other.limbs_);
}

} // namespace lockstep
