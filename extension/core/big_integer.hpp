// Whole numbers of any size, with what decimal amounts need of them: sums, order, and shifts by
// powers of ten. For amounts that 128 bits do not hold; the others never come here.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

__extension__ using int128 = __int128;

class big_integer {
  public:
    explicit big_integer(int128 value);

    // Of a text that is nothing but digits.
    [[nodiscard]] static big_integer of_digits(std::string_view digits);

    [[nodiscard]] bool is_zero() const noexcept { return limbs_.empty(); }
    [[nodiscard]] bool is_negative() const noexcept { return negative_; }

    // How many digits it has: 1 for 7, 3 for -700; 0 for zero.
    [[nodiscard]] int digits() const noexcept;
    // How many of them are zeros at the end: 2 for -700; 0 for zero.
    [[nodiscard]] int trailing_zeros() const noexcept;

    // The same number, where it has 38 digits at most.
    [[nodiscard]] std::optional<int128> as_int128() const noexcept;
    // The digits without the sign; "0" for zero.
    [[nodiscard]] std::string magnitude() const;

    [[nodiscard]] big_integer negated() const;
    [[nodiscard]] big_integer plus(const big_integer &other) const;
    [[nodiscard]] big_integer times_power_of_ten(int power) const;
    // The same with zeros for its last digits.
    [[nodiscard]] big_integer with_zeros(int count) const;
    // Nothing where something would remain.
    [[nodiscard]] std::optional<big_integer> divided_by_power_of_ten(int power) const;

    [[nodiscard]] friend std::strong_ordering operator<=>(const big_integer &a,
                                                          const big_integer &b) noexcept {
        return a.compared_to(b);
    }
    [[nodiscard]] friend bool operator==(const big_integer &a, const big_integer &b) noexcept {
        return a.negative_ == b.negative_ && a.limbs_ == b.limbs_;
    }

  private:
    using limbs = std::vector<std::uint32_t>;

    big_integer(limbs magnitude, bool negative);

    [[nodiscard]] std::strong_ordering compared_to(const big_integer &other) const noexcept;

    limbs limbs_; // nine digits each, the lowest first; the highest is not zero
    bool negative_ = false;
};

} // namespace lockstep
