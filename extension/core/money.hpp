// Exact decimal amounts with the range of the server's numeric, never rounded: a whole number and a
// decimal scale. 128 bits hold what has 38 digits at most, which is nearly every amount; the others
// have memory of their own. There is no NaN and no infinity here: they are refused where text is
// read.
#pragma once

#include "core/big_integer.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

class money {
  public:
    // What numeric holds: digits before the point, and decimals.
    static constexpr int max_whole_digits = 131'072;
    static constexpr int max_scale = 16'383;

    // Zero with no decimals.
    money() noexcept = default;

    // A whole number.
    explicit money(std::int64_t units) noexcept : coefficient_(units) {}

    money(const money &other)
        : coefficient_(other.coefficient_), scale_(other.scale_),
          large_(other.large_ ? std::make_unique<big_integer>(*other.large_) : nullptr) {}
    money(money &&) noexcept = default;
    money &operator=(const money &other) {
        coefficient_ = other.coefficient_;
        scale_ = other.scale_;
        if (large_ || other.large_)
            large_ = other.large_ ? std::make_unique<big_integer>(*other.large_) : nullptr;
        return *this;
    }
    money &operator=(money &&) noexcept = default;
    ~money() = default;

    // The coefficient and the decimals apart: 150 and 2 are 1.50. Nothing where there are more
    // decimals than numeric has, or fewer than none.
    [[nodiscard]] static std::optional<money> of_parts(std::int64_t coefficient, int scale);
    // The same way back: the amount times 10^scale(), where 64 bits hold it.
    [[nodiscard]] std::optional<std::int64_t> coefficient() const noexcept {
        const auto low = static_cast<std::int64_t>(coefficient_);
        if (low != coefficient_ || large_)
            return std::nullopt;
        return low;
    }

    // Reads what the server's numeric prints: an optional sign, digits, an optional point and
    // digits, which are kept, zeros included. Returns nothing when the text is anything else (NaN
    // and Infinity among them) or no numeric has so many digits.
    [[nodiscard]] static std::optional<money> parse(std::string_view text);

    // Decimals that are kept, zeros included: 1.50 has two.
    [[nodiscard]] int scale() const noexcept { return scale_; }
    // Decimals that matter: 1.50 has one, 200 has none.
    [[nodiscard]] int least_scale() const noexcept;

    [[nodiscard]] bool is_zero() const noexcept {
        return large_ ? large_->is_zero() : coefficient_ == 0;
    }
    [[nodiscard]] bool is_negative() const noexcept {
        return large_ ? large_->is_negative() : coefficient_ < 0;
    }

    // The exact sum or difference at the larger of both scales; nothing where numeric has not the
    // digits for it.
    [[nodiscard]] std::optional<money> plus(const money &other) const;
    [[nodiscard]] std::optional<money> minus(const money &other) const;
    [[nodiscard]] money negated() const;

    // The same amount with exactly this many decimals (negative: a multiple of a power of ten,
    // shown without decimals); nothing when that would round, or numeric has not so many.
    [[nodiscard]] std::optional<money> with_scale(int scale) const;

    // The largest amount of so many decimals (negative: the largest multiple of a power of ten)
    // that is not above this one; nothing where numeric has not the digits for it.
    [[nodiscard]] std::optional<money> rounded_down(int scale) const;

    // Whether a column numeric(precision, scale) holds it without rounding and without overflow.
    [[nodiscard]] bool fits(int precision, int scale) const;

    // The whole number, when it is one and fits in 64 bits.
    [[nodiscard]] std::optional<std::int64_t> as_int64() const;

    // As the server's numeric prints it: 1.50, -0.05, 200.
    [[nodiscard]] std::string to_string() const;
    // For a message: the same, but of more than a hundred digits only how many there are, without
    // zeros at the end.
    [[nodiscard]] std::string shown() const;

    // By amount: 1.5 and 1.50 are equal.
    [[nodiscard]] friend std::strong_ordering operator<=>(const money &a, const money &b) {
        return a.compared_to(b);
    }
    [[nodiscard]] friend bool operator==(const money &a, const money &b) {
        return a.compared_to(b) == std::strong_ordering::equal;
    }

  private:
    // Aligned as the server's memory is.
    using aligned_int128 [[gnu::aligned(8)]] = int128;

    money(int128 coefficient, int scale) noexcept : coefficient_(coefficient), scale_(scale) {}

    // Of any size; nothing where numeric has not the digits.
    [[nodiscard]] static std::optional<money> of_big(const big_integer &coefficient, int scale);
    // The coefficient that it has, or would have with more decimals.
    [[nodiscard]] big_integer big(int scale) const;

    [[nodiscard]] std::strong_ordering compared_to(const money &other) const;

    aligned_int128 coefficient_ = 0; // the amount times 10^scale_, less than 10^38 in size
    int scale_ = 0;
    // The coefficient where 38 digits, or 38 decimals, are not enough: then coefficient_ is 0.
    std::unique_ptr<const big_integer> large_;
};

} // namespace lockstep
