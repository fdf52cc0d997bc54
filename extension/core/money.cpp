#include "core/money.hpp"

#include <algorithm>
#include <array>

namespace lockstep {

namespace {

// What 128 bits hold in any case.
constexpr int short_digits = 38;

constexpr auto powers_of_ten = [] {
    std::array<int128, short_digits + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

constexpr int128 power_of_ten(int power) noexcept {
    return powers_of_ten[static_cast<std::size_t>(power)];
}

constexpr bool is_short(int128 coefficient) noexcept {
    return coefficient < powers_of_ten[short_digits] && coefficient > -powers_of_ten[short_digits];
}

// The coefficient with more decimals; nothing where it is no longer short.
std::optional<int128> shifted(int128 coefficient, int digits) noexcept {
    int128 result = 0;
    if (digits > short_digits ||
        __builtin_mul_overflow(coefficient, power_of_ten(digits), &result) || !is_short(result))
        return std::nullopt;
    return result;
}

// Nothing where it is no longer short: the sum of two of 38 digits may be more than 128 bits hold.
std::optional<int128> sum_of(int128 a, int128 b) noexcept {
    int128 sum = 0;
    if (__builtin_add_overflow(a, b, &sum) || !is_short(sum))
        return std::nullopt;
    return sum;
}

bool all_digits(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::optional<money> money::of_parts(std::int64_t coefficient, int scale) {
    if (scale >= 0 && scale <= short_digits)
        return money{coefficient, scale};
    return of_big(big_integer{coefficient}, scale);
}

std::optional<money> money::of_big(const big_integer &coefficient, int scale) {
    if (scale < 0 || scale > max_scale || coefficient.digits() - scale > max_whole_digits)
        return std::nullopt;
    if (scale <= short_digits)
        if (const auto value = coefficient.as_int128())
            return money{*value, scale};
    money made{0, scale};
    made.large_ = std::make_unique<big_integer>(coefficient);
    return made;
}

big_integer money::big(int scale) const {
    const big_integer coefficient = large_ ? *large_ : big_integer{coefficient_};
    return coefficient.times_power_of_ten(scale - scale_);
}

std::optional<money> money::parse(std::string_view text) {
    bool negative = false;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const std::string_view whole = text.substr(0, text.find('.'));
    const std::string_view decimals =
        whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view{};
    if (whole.size() + decimals.size() == 0 || !all_digits(whole) || !all_digits(decimals))
        return std::nullopt;
    if (decimals.size() > max_scale)
        return std::nullopt;
    const int scale = static_cast<int>(decimals.size());
    if (whole.size() + decimals.size() <= short_digits) {
        int128 coefficient = 0;
        for (const std::string_view part : {whole, decimals})
            for (const char digit : part)
                coefficient = coefficient * 10 + (digit - '0');
        return money{negative ? -coefficient : coefficient, scale};
    }
    const auto coefficient = big_integer::of_digits(std::string{whole}.append(decimals));
    return of_big(negative ? coefficient.negated() : coefficient, scale);
}

int money::least_scale() const noexcept {
    if (is_zero())
        return 0;
    if (large_)
        return std::max(0, scale_ - large_->trailing_zeros());
    int128 rest = coefficient_;
    int scale = scale_;
    while (scale > 0 && rest % 10 == 0) {
        rest /= 10;
        --scale;
    }
    return scale;
}

std::optional<money> money::plus(const money &other) const {
    const int scale = std::max(scale_, other.scale_);
    if (!large_ && !other.large_) {
        // The common case needs no multiplication.
        if (scale_ == other.scale_) {
            if (const auto sum = sum_of(coefficient_, other.coefficient_))
                return money{*sum, scale};
        } else {
            const auto a = shifted(coefficient_, scale - scale_);
            const auto b = shifted(other.coefficient_, scale - other.scale_);
            if (a && b)
                if (const auto sum = sum_of(*a, *b))
                    return money{*sum, scale};
        }
    }
    return of_big(big(scale).plus(other.big(scale)), scale);
}

std::optional<money> money::minus(const money &other) const {
    return plus(other.negated());
}

money money::negated() const {
    money made{-coefficient_, scale_};
    if (large_)
        made.large_ = std::make_unique<big_integer>(large_->negated());
    return made;
}

std::optional<money> money::with_scale(int scale) const {
    if (scale == scale_)
        return *this;
    if (scale > max_scale)
        return std::nullopt;
    if (scale > scale_) {
        if (!large_ && scale <= short_digits)
            if (const auto coefficient = shifted(coefficient_, scale - scale_))
                return money{*coefficient, scale};
        return of_big(big(scale), scale);
    }
    // Fewer decimals, and with a negative scale zeros before the point.
    const int shown_scale = std::max(scale, 0);
    const int given_up = scale_ - scale;
    if (large_) {
        if (!large_->is_zero() && large_->trailing_zeros() < given_up)
            return std::nullopt;
        return of_big(*large_->divided_by_power_of_ten(scale_ - shown_scale), shown_scale);
    }
    if (coefficient_ != 0 &&
        (given_up > short_digits || coefficient_ % power_of_ten(given_up) != 0))
        return std::nullopt;
    return money{coefficient_ / power_of_ten(scale_ - shown_scale), shown_scale};
}

std::optional<money> money::rounded_down(int scale) const {
    const int dropped = scale_ - scale;
    if (dropped <= 0 || is_zero())
        return *this;
    if (!large_ && dropped <= short_digits) {
        const int128 unit = power_of_ten(dropped);
        const int128 rest = coefficient_ % unit;
        if (const auto down = sum_of(coefficient_, rest < 0 ? -rest - unit : -rest))
            return money{*down, scale_};
    }
    const big_integer coefficient = big(scale_);
    const big_integer cut = coefficient.with_zeros(dropped);
    if (is_negative() && cut != coefficient)
        return of_big(cut.plus(big_integer{-1}.times_power_of_ten(dropped)), scale_);
    return of_big(cut, scale_);
}

bool money::fits(int precision, int scale) const {
    // numeric(p, s) holds |x| < 10^(p - s).
    if (scale == scale_ && !large_) {
        const int128 size = coefficient_ < 0 ? -coefficient_ : coefficient_;
        return precision >= short_digits || size < power_of_ten(precision);
    }
    const auto exact = with_scale(scale);
    if (!exact)
        return false; // it would be rounded
    const int digits =
        exact->large_ ? exact->large_->digits() : big_integer{exact->coefficient_}.digits();
    return digits <= precision - std::min(scale, 0);
}

std::optional<std::int64_t> money::as_int64() const {
    if (scale_ == 0)
        return coefficient();
    const auto whole = with_scale(0);
    return whole ? whole->coefficient() : std::nullopt;
}

std::string money::to_string() const {
    std::string text = (large_ ? *large_ : big_integer{coefficient_}).magnitude();
    const auto decimals = static_cast<std::size_t>(scale_);
    if (decimals > 0) {
        if (text.size() <= decimals)
            text.insert(0, decimals + 1 - text.size(), '0');
        text.insert(text.size() - decimals, 1, '.');
    }
    if (is_negative())
        text.insert(0, 1, '-');
    return text;
}

std::string money::shown() const {
    constexpr std::size_t most_characters = 103; // a hundred digits, a sign, 0 and a point
    std::string text = to_string();
    if (text.size() <= most_characters)
        return text;
    const int scale = least_scale();
    if (scale < scale_)
        return with_scale(scale)->shown();
    const std::size_t digits = text.size() - (is_negative() ? 1 : 0) - (scale_ > 0 ? 1 : 0);
    return "a number of " + std::to_string(digits) + " digits";
}

std::strong_ordering money::compared_to(const money &other) const {
    if (!large_ && !other.large_) {
        // Bounds are often written without decimals.
        if (scale_ == other.scale_ || coefficient_ == 0 || other.coefficient_ == 0)
            return int128{coefficient_} <=> int128{other.coefficient_};
        const int scale = std::max(scale_, other.scale_);
        const auto a = shifted(coefficient_, scale - scale_);
        const auto b = shifted(other.coefficient_, scale - other.scale_);
        if (a && b)
            return *a <=> *b;
    }
    const int scale = std::max(scale_, other.scale_);
    return big(scale) <=> other.big(scale);
}

} // namespace lockstep
