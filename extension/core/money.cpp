#include "core/money.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace lockstep {

namespace {

__extension__ using wide = __int128;

constexpr auto powers_of_ten = [] {
    std::array<wide, money::max_digits + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

constexpr wide limit = powers_of_ten[money::max_digits];

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// The coefficient times 10^digits; nothing when it leaves the 38 digits.
std::optional<wide> shifted(wide coefficient, int digits) noexcept {
    if (coefficient == 0)
        return wide{0};
    if (digits > money::max_digits)
        return std::nullopt;
    wide result = 0;
    if (__builtin_mul_overflow(coefficient, powers_of_ten[static_cast<std::size_t>(digits)],
                               &result) ||
        result >= limit || result <= -limit)
        return std::nullopt;
    return result;
}

} // namespace

std::optional<money> money::parse(std::string_view text) noexcept {
    bool negative = false;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    wide coefficient = 0;
    int scale = 0;
    bool seen_digit = false;
    bool seen_point = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (!is_digit(c))
            return std::nullopt;
        seen_digit = true;
        const auto next = shifted(coefficient, 1);
        const bool full =
            (seen_point && scale == max_digits) || !next || *next + (c - '0') >= limit;
        if (full) {
            // No room for this digit. Zeros to the end, after the point, say nothing; let them go.
            if (!seen_point || text.find_first_not_of('0', i) != std::string_view::npos)
                return std::nullopt;
            break;
        }
        coefficient = *next + (c - '0');
        if (seen_point)
            ++scale;
    }
    if (!seen_digit)
        return std::nullopt;
    return money{negative ? -coefficient : coefficient, scale};
}

int money::least_scale() const noexcept {
    if (coefficient_ == 0)
        return 0;
    wide rest = coefficient_;
    int scale = scale_;
    while (scale > 0 && rest % 10 == 0) {
        rest /= 10;
        --scale;
    }
    return scale;
}

std::optional<money> money::plus(money other) const noexcept {
    // The common case needs no division.
    if (wide sum = 0; scale_ == other.scale_ &&
                      !__builtin_add_overflow(wide{coefficient_}, wide{other.coefficient_}, &sum) &&
                      sum < limit && sum > -limit)
        return money{sum, scale_};
    // Whole parts and decimals apart: at one scale, one of both might not have room although the
    // sum has.
    int scale = std::max(scale_, other.scale_);
    const wide unit = powers_of_ten[static_cast<std::size_t>(scale)];
    const auto whole_of = [](money one) {
        return one.coefficient_ / powers_of_ten[static_cast<std::size_t>(one.scale_)];
    };
    const auto decimals_of = [scale](money one) {
        return one.coefficient_ % powers_of_ten[static_cast<std::size_t>(one.scale_)] *
               powers_of_ten[static_cast<std::size_t>(scale - one.scale_)];
    };
    wide whole = 0;
    if (__builtin_add_overflow(whole_of(*this), whole_of(other), &whole))
        return std::nullopt;
    // Each below one unit; carried before they are added, as two of them may not fit.
    wide decimals = decimals_of(*this);
    const wide more = decimals_of(other);
    if (decimals > 0 && more >= unit - decimals) {
        decimals -= unit;
        ++whole;
    } else if (decimals < 0 && more <= -unit - decimals) {
        decimals += unit;
        --whole;
    }
    decimals += more;
    // One sign for both parts.
    if (whole > 0 && decimals < 0) {
        --whole;
        decimals += unit;
    } else if (whole < 0 && decimals > 0) {
        ++whole;
        decimals -= unit;
    }
    // Keep the decimals that were written, as numeric does; give up zeros where room is short.
    for (;; --scale, decimals /= 10) {
        const auto shifted_whole = shifted(whole, scale);
        if (shifted_whole) {
            const wide sum = *shifted_whole + decimals;
            if (sum < limit && sum > -limit)
                return money{sum, scale};
        }
        if (scale == 0 || decimals % 10 != 0)
            return std::nullopt;
    }
}

std::optional<money> money::minus(money other) const noexcept {
    return plus(other.negated());
}

money money::negated() const noexcept {
    return money{-coefficient_, scale_};
}

std::optional<money> money::with_scale(int scale) const noexcept {
    if (scale == scale_)
        return *this;
    if (scale > max_digits)
        return std::nullopt;
    if (scale < 0) {
        const auto whole = with_scale(0);
        if (!whole)
            return std::nullopt;
        if (whole->coefficient_ == 0)
            return whole;
        if (-scale > max_digits ||
            whole->coefficient_ % powers_of_ten[static_cast<std::size_t>(-scale)] != 0)
            return std::nullopt;
        return whole;
    }
    if (scale >= scale_) {
        const auto coefficient = shifted(coefficient_, scale - scale_);
        if (!coefficient)
            return std::nullopt;
        return money{*coefficient, scale};
    }
    const wide divisor = powers_of_ten[static_cast<std::size_t>(scale_ - scale)];
    if (coefficient_ % divisor != 0)
        return std::nullopt;
    return money{coefficient_ / divisor, scale};
}

bool money::fits(int precision, int scale) const noexcept {
    const auto exact = with_scale(scale);
    if (!exact && (scale < 0 || least_scale() > scale))
        return false; // it would be rounded
    // Where money has not the digits for the column's zeros: the same amount.
    const money same = exact.value_or(*this);
    // numeric(p, s) holds |x| < 10^(p - s).
    const int whole_digits = precision - scale;
    if (whole_digits > max_digits)
        return true;
    const wide size = same.coefficient_ < 0 ? -same.coefficient_ : same.coefficient_;
    if (whole_digits >= 0 && whole_digits + same.scale_ <= max_digits)
        return size < powers_of_ten[static_cast<std::size_t>(whole_digits) +
                                    static_cast<std::size_t>(same.scale_)];
    if (whole_digits >= 0) {
        const wide whole = size / powers_of_ten[static_cast<std::size_t>(same.scale_)];
        return whole < powers_of_ten[static_cast<std::size_t>(whole_digits)];
    }
    // numeric(2, 5): below 10^-3.
    const int decimals = same.scale_ + whole_digits;
    return decimals < 0 ? size == 0 : size < powers_of_ten[static_cast<std::size_t>(decimals)];
}

std::optional<std::int64_t> money::as_int64() const noexcept {
    const auto whole = with_scale(0);
    if (!whole || whole->coefficient_ > std::numeric_limits<std::int64_t>::max() ||
        whole->coefficient_ < std::numeric_limits<std::int64_t>::min())
        return std::nullopt;
    return static_cast<std::int64_t>(whole->coefficient_);
}

std::string money::to_string() const {
    wide rest = coefficient_ < 0 ? -coefficient_ : coefficient_;
    std::string reversed;
    reversed.reserve(max_digits + 3);
    for (int i = 0; rest != 0 || i <= scale_; ++i) {
        if (i == scale_ && scale_ > 0)
            reversed.push_back('.');
        reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    }
    if (coefficient_ < 0)
        reversed.push_back('-');
    std::reverse(reversed.begin(), reversed.end());
    return reversed;
}

std::strong_ordering money::compared_to(money other) const noexcept {
    if (scale_ == other.scale_)
        return coefficient_ <=> other.coefficient_;
    // Bounds are often written without decimals.
    if (coefficient_ == 0 || other.coefficient_ == 0)
        return coefficient_ <=> other.coefficient_;
    // Split both at the point and compare by parts: bringing both to one scale could overflow.
    const wide a_unit = powers_of_ten[static_cast<std::size_t>(scale_)];
    const wide b_unit = powers_of_ten[static_cast<std::size_t>(other.scale_)];
    const auto whole = coefficient_ / a_unit <=> other.coefficient_ / b_unit;
    if (whole != std::strong_ordering::equal)
        return whole;
    const int scale = std::max(scale_, other.scale_);
    // Each remainder is below its unit, so the shifted one stays below 10^38.
    const wide a_rest =
        coefficient_ % a_unit * powers_of_ten[static_cast<std::size_t>(scale - scale_)];
    const wide b_rest =
        other.coefficient_ % b_unit * powers_of_ten[static_cast<std::size_t>(scale - other.scale_)];
    return a_rest <=> b_rest;
}

} // namespace lockstep
