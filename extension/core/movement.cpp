#include "core/movement.hpp"

#include "core/sql_error.hpp"

#include <algorithm>
#include <limits>

namespace lockstep {

namespace {

template <class Whole>
bool within(const money &amount) {
    const auto units = amount.as_int64();
    return units && *units >= std::numeric_limits<Whole>::min() &&
           *units <= std::numeric_limits<Whole>::max();
}

std::optional<refusal> missing(const leg &one) {
    if (one.after)
        return std::nullopt;
    return refusal{state::row_not_found, one.name() + " not found",
                   "There is no such row, or it may not be updated by the caller."};
}

std::optional<refusal> different(const leg &from, const leg &to) {
    const matched_values *const values = from.after->matched;
    if (values == nullptr)
        return std::nullopt;
    const auto found = values->first_mismatch(*values, *to.after->matched);
    if (!found)
        return std::nullopt;
    return refusal{state::rows_do_not_match, from.name() + " does not match " + to.name(),
                   "Column \"" + found->column + "\" is " + found->from +
                       " in the giving row and " + found->to + " in the taking row."};
}

std::optional<refusal> frozen(const leg &one) {
    if (!one.after->frozen)
        return std::nullopt;
    return refusal{state::row_frozen, one.name() + " is frozen", {}};
}

std::optional<refusal> version_moved(const leg &one, std::int64_t expected) {
    // The row is seen after the movement, which counts the version up by one.
    const auto before = one.after->version ? *one.after->version - 1 : 0;
    if (one.after->version && before == expected)
        return std::nullopt;
    return refusal{state::version_changed, one.name() + " has another version",
                   one.after->version
                       ? "The version is " + std::to_string(before) + ", and " +
                             std::to_string(expected) + " was expected."
                       : "The version is null, and " + std::to_string(expected) + " was expected."};
}

// The balance before the movement, for the reader of an error.
std::string before_text(const money &after, const money &change) {
    const auto before = after.minus(change);
    return before ? before->shown() : "out of range";
}

std::optional<refusal> below_floor(const leg &one, const money &amount) {
    const row_state &row = *one.after;
    if (!row.floor || *row.amount >= *row.floor)
        return std::nullopt;
    return refusal{state::insufficient_funds, "insufficient funds in " + one.name(),
                   "The balance is " + before_text(*row.amount, amount.negated()) +
                       ", the floor is " + row.floor->shown() + ", and " + amount.shown() +
                       " was to be taken."};
}

std::optional<refusal> above_ceiling(const leg &one, const money &amount) {
    const row_state &row = *one.after;
    if (!row.ceiling || *row.amount <= *row.ceiling)
        return std::nullopt;
    return refusal{state::above_ceiling, "no room in " + one.name(),
                   "The balance is " + before_text(*row.amount, amount) + ", the ceiling is " +
                       row.ceiling->shown() + ", and " + amount.shown() + " was to be added."};
}

} // namespace

bool fits(const money &amount, const amount_type &type) {
    switch (type.stored) {
    case amount_type::kind::int16: return within<std::int16_t>(amount);
    case amount_type::kind::int32: return within<std::int32_t>(amount);
    case amount_type::kind::int64: return within<std::int64_t>(amount);
    case amount_type::kind::numeric:
        return !type.has_limits || amount.fits(type.precision, type.scale);
    }
    return false;
}

money checked_amount(const money &amount, const amount_type &type) {
    if (amount.is_zero() || amount.is_negative())
        throw sql_error(state::invalid_amount,
                        "amount must be greater than zero: \"" + amount.shown() + "\"");
    const bool whole = type.stored != amount_type::kind::numeric;
    if (!whole && !type.has_limits)
        return amount;
    const int scale = whole ? 0 : type.scale;
    if (amount.least_scale() > std::max(scale, 0))
        throw sql_error(state::invalid_amount,
                        "amount has too many decimals: \"" + amount.shown() + "\"",
                        scale > 0 ? "The amount column keeps " + std::to_string(scale) + "."
                                  : "The amount column keeps whole numbers only.");
    const auto exact = amount.with_scale(scale);
    if (!exact && scale < 0)
        throw sql_error(state::invalid_amount, "amount is too fine: \"" + amount.shown() + "\"",
                        "The amount column keeps multiples of 1" +
                            std::string(static_cast<std::size_t>(-scale), '0') + ".");
    if (!exact || !fits(*exact, type))
        throw sql_error(state::numeric_value_out_of_range,
                        "amount is out of range: \"" + amount.shown() + "\"",
                        "The amount column cannot hold it.");
    return *exact;
}

money checked_delta(const money &delta, const amount_type &type) {
    if (delta.is_zero())
        throw sql_error(state::invalid_amount, "delta must not be zero");
    return delta.is_negative() ? checked_amount(delta.negated(), type).negated()
                               : checked_amount(delta, type);
}

std::optional<refusal> decide(const leg *from, const leg *to, const money &amount,
                              std::optional<std::int64_t> expected_version) {
    for (const leg *one : {from, to})
        if (one != nullptr)
            if (auto no = missing(*one))
                return no;
    // No later try of the same movement could succeed: so it comes before what may pass.
    if (from != nullptr && to != nullptr)
        if (auto no = different(*from, *to))
            return no;
    for (const leg *one : {from, to})
        if (one != nullptr)
            if (auto no = frozen(*one))
                return no;
    // A condition on the version is on the row that gives; an adjustment has only one row.
    const leg *versioned = from != nullptr ? from : to;
    if (expected_version && versioned != nullptr)
        if (auto no = version_moved(*versioned, *expected_version))
            return no;
    if (from != nullptr)
        if (auto no = below_floor(*from, amount))
            return no;
    if (to != nullptr)
        if (auto no = above_ceiling(*to, amount))
            return no;
    return std::nullopt;
}

} // namespace lockstep
