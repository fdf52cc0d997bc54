// Exact decimal amounts: a 128-bit integer and a decimal scale, up to 38 digits, never rounded. The
// same arithmetic as the server's numeric inside that range; outside it every operation says so
// instead of wrapping. There is no NaN and no infinity here: they are refused where text is read.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

class money {
  public:
    static constexpr int max_digits = 38;

    // Zero with no decimals.
    constexpr money() noexcept = default;

    // A whole number.
    constexpr explicit money(std::int64_t units) noexcept : coefficient_(units) {}

    // The coefficient and the decimals apart: 150 and 2 are 1.50. Nothing where there are more than
    // 38 decimals, or fewer than none.
    [[nodiscard]] static constexpr std::optional<money> of_parts(std::int64_t coefficient,
                                                                 int scale) noexcept {
        if (scale < 0 || scale > max_digits)
            return std::nullopt;
        return money{coefficient, scale};
    }
    // The same way back: the amount times 10^scale(), where 64 bits hold it.
    [[nodiscard]] std::optional<std::int64_t> coefficient() const noexcept {
        const auto low = static_cast<std::int64_t>(coefficient_);
        if (low != coefficient_)
            return std::nullopt;
        return low;
    }

    // Reads what the server's numeric prints: an optional sign, digits, an optional point and
    // digits. Returns nothing when the text is anything else (NaN and Infinity among them) or needs
    // more than 38 digits; leading zeros do not count as digits, trailing zeros after the point are
    // kept while there is room for them.
    [[nodiscard]] static std::optional<money> parse(std::string_view text) noexcept;

    // Decimals that are kept, zeros included: 1.50 has two.
    [[nodiscard]] int scale() const noexcept { return scale_; }
    // Decimals that matter: 1.50 has one, 200 has none.
    [[nodiscard]] int least_scale() const noexcept;

    [[nodiscard]] bool is_zero() const noexcept { return coefficient_ == 0; }
    [[nodiscard]] bool is_negative() const noexcept { return coefficient_ < 0; }

    // The exact sum or difference at the larger of both scales (or at fewer decimals where only
    // zeros are given up); nothing when it needs more than 38 digits.
    [[nodiscard]] std::optional<money> plus(money other) const noexcept;
    [[nodiscard]] std::optional<money> minus(money other) const noexcept;
    [[nodiscard]] money negated() const noexcept;

    // The same amount with exactly this many decimals (negative: a multiple of a power of ten,
    // shown without decimals); nothing when that would round, or needs more than 38 digits.
    [[nodiscard]] std::optional<money> with_scale(int scale) const noexcept;

    // Whether a column numeric(precision, scale) holds it without rounding and without overflow.
    [[nodiscard]] bool fits(int precision, int scale) const noexcept;

    // The whole number, when it is one and fits in 64 bits.
    [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;

    // As the server's numeric prints it: 1.50, -0.05, 200.
    [[nodiscard]] std::string to_string() const;

    // By amount: 1.5 and 1.50 are equal.
    [[nodiscard]] friend std::strong_ordering operator<=>(money a, money b) noexcept {
        return a.compared_to(b);
    }
    [[nodiscard]] friend bool operator==(money a, money b) noexcept {
        return a.compared_to(b) == std::strong_ordering::equal;
    }

  private:
    // Aligned as the server's memory is: amounts live in palloc'd structs too.
    __extension__ using wide [[gnu::aligned(8)]] = __int128;

    constexpr money(wide coefficient, int scale) noexcept
        : coefficient_(coefficient), scale_(scale) {}

    [[nodiscard]] std::strong_ordering compared_to(money other) const noexcept;

    wide coefficient_ = 0; // the amount times 10^scale_, less than 10^38 in size
    int scale_ = 0;        // 0 to 38
};

} // namespace lockstep
