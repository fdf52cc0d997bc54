// What a transfer or an adjustment asks for, what the rows looked like, and whether it may happen.
// Everything that is decided about an amount is decided here, without knowing where rows live.
#pragma once

#include "core/money.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lockstep {

// The amount column's type, as far as amounts must fit into it.
struct amount_type {
    enum class kind { int16, int32, int64, numeric } stored = kind::numeric;
    bool has_limits = false; // numeric(precision, scale); plain numeric has none
    int precision = 0;
    int scale = 0;

    [[nodiscard]] bool operator==(const amount_type &) const = default;
};

// A column in which two rows differ that must not, and what each has there, for a message.
struct mismatch {
    std::string column;
    std::string from;
    std::string to;
};

// What a row has in the columns in which both rows of a movement must agree. Its types are known to
// who has read it alone: so it comes with what compares it.
struct matched_values {
    std::optional<mismatch> (*first_mismatch)(const matched_values &from, const matched_values &to);
};

// One row of a ledger as it was read under its lock, or as a write returned it.
struct row_state {
    std::optional<money> amount;
    std::optional<money> floor;   // nothing: no bound
    std::optional<money> ceiling; // nothing: no bound
    std::optional<std::int64_t> version;
    bool frozen = false;
    const matched_values *matched = nullptr; // null: the ledger has no such columns
};

// A leg of a movement: the row that gives or the row that takes.
struct leg {
    std::function<std::string()> name; // row 7 of ledger "accounts", for a message
    std::optional<row_state> after;    // nothing: there is no such row
};

// A business answer that stops a movement. It is never retried.
struct refusal {
    const char *sqlstate;
    std::string message;
    std::string detail;
};

// Checks an amount that is to be moved, and gives it the decimals of the column: positive, no more
// decimals than the column keeps (LS007), within the column's range (22003). Throws sql_error.
[[nodiscard]] money checked_amount(const money &amount, const amount_type &type);

// The same of a change, which is below zero where it takes: LS007 where it is zero.
[[nodiscard]] money checked_delta(const money &delta, const amount_type &type);

// Whether the amount column can hold it.
[[nodiscard]] bool fits(const money &amount, const amount_type &type);

// Decides on the rows as they stand, or would stand, after the movement. Either leg may be absent
// (an adjustment has one). The order of the checks is part of the contract: missing row, rows that
// do not match, frozen, version, floor, ceiling; the giving row before the taking one.
[[nodiscard]] std::optional<refusal> decide(const leg *from, const leg *to, const money &amount,
                                            std::optional<std::int64_t> expected_version);

} // namespace lockstep
