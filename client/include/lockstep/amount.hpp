// An exact amount, as decimal text that crosses the wire unchanged: never through a double. A value
// type: cheap to copy, immutable, safe to share between threads as any const value.
#pragma once

#include <lockstep/core/export.hpp>

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

class LOCKSTEP_EXPORT amount {
  public:
    // A whole number: amount{250} is 250 units of whatever the ledger's column counts.
    template <std::integral Whole>
    requires(!std::same_as<Whole, bool>) amount(Whole units) : text_(std::to_string(units)) {}

    // A decimal number of any size that the server's numeric has: "12.50", "-3". Throws
    // std::invalid_argument for anything else: an exponent, NaN, an empty text, spaces.
    explicit amount(std::string_view decimal);

    // A binary fraction has already lost the cents.
    template <std::floating_point Binary>
    amount(Binary) = delete;

    // As the server prints it. Decimals are kept: "12.50" stays "12.50".
    [[nodiscard]] const std::string &text() const noexcept { return text_; }

    // The whole number, when it is one and fits.
    [[nodiscard]] std::optional<std::int64_t> as_int64() const;

    // By value: 1.5 equals 1.50.
    [[nodiscard]] friend bool operator==(const amount &a, const amount &b) {
        return a.compare(b) == std::strong_ordering::equal;
    }
    [[nodiscard]] friend std::strong_ordering operator<=>(const amount &a, const amount &b) {
        return a.compare(b);
    }

  private:
    [[nodiscard]] std::strong_ordering compare(const amount &other) const;

    std::string text_;
};

} // namespace lockstep
