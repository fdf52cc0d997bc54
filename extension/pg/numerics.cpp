#include "pg/numerics.hpp"

#include "pg/values.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lockstep {

namespace {

constexpr auto powers_of_ten = [] {
    std::array<std::int64_t, 19> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

// The fields of numeric's wire format: counts, then digits of base 10000, all of two bytes.
enum class wire_field : std::size_t { digits, weight, sign, scale, first_digit };

int field(const unsigned char *wire, std::size_t number) {
    return wire[2 * number] << 8 | wire[2 * number + 1];
}
int field(const unsigned char *wire, wire_field which) {
    return field(wire, static_cast<std::size_t>(which));
}

// False where 64 bits do not hold the coefficient, or it is no finite number.
bool read_wire(const unsigned char *wire, money &amount) {
    constexpr int positive = 0x0000;
    constexpr int negative = 0x4000;
    const int digits = field(wire, wire_field::digits);
    const int weight = static_cast<std::int16_t>(field(wire, wire_field::weight));
    const int sign = field(wire, wire_field::sign);
    const int scale = field(wire, wire_field::scale);
    if (sign != positive && sign != negative)
        return false;
    std::int64_t coefficient = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(digits); ++i)
        if (__builtin_mul_overflow(coefficient, 10'000, &coefficient) ||
            __builtin_add_overflow(
                coefficient, field(wire, static_cast<std::size_t>(wire_field::first_digit) + i),
                &coefficient))
            return false;
    // The last digit of base 10000 may reach further than the decimals: then with zeros.
    const int shift = 4 * (weight + 1 - digits) + scale;
    const auto size = static_cast<std::size_t>(shift < 0 ? -shift : shift);
    if (coefficient != 0 && size >= powers_of_ten.size())
        return false;
    if (coefficient != 0 && shift < 0)
        coefficient /= powers_of_ten[size];
    if (coefficient != 0 && shift > 0 &&
        __builtin_mul_overflow(coefficient, powers_of_ten[size], &coefficient))
        return false;
    const auto made = money::of_parts(sign == negative ? -coefficient : coefficient, scale);
    if (!made)
        return false;
    amount = *made;
    return true;
}

inline namespace guarded {

// From `first` on, up to one that takes the long way; its index.
std::size_t read_short(const Datum *numerics, money *amounts, std::size_t first,
                       std::size_t count) {
    for (std::size_t i = first; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        bytea *wire = DatumGetByteaP(DirectFunctionCall1(numeric_send, numerics[i]));
        const bool is_short =
            read_wire(reinterpret_cast<const unsigned char *>(VARDATA(wire)), amounts[i]);
        pfree(wire);
        if (!is_short)
            return i;
    }
    return count;
}

// The other way round, of amounts with these decimals (negative: with any).
std::size_t make_short(const std::optional<money> *amounts, int scale, Datum *numerics,
                       std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        numerics[i] = Datum{0};
        if (!amounts[i])
            continue;
        const auto coefficient = amounts[i]->coefficient();
        if (!coefficient || (scale >= 0 && amounts[i]->scale() != scale))
            return i;
        numerics[i] = NumericGetDatum(int64_div_fast_to_numeric(*coefficient, amounts[i]->scale()));
    }
    return count;
}

} // namespace guarded

Datum make_long(money amount, const amount_type &column) {
    const Datum made = numeric_from_money(amount);
    if (!column.has_limits || amount.scale() == std::max(column.scale, 0))
        return made;
    const int32 typmod =
        ((column.precision << 16) | (column.scale & 0x7ff)) + static_cast<int32>(VARHDRSZ);
    return pg_call([=] { return DirectFunctionCall2(numeric, made, Int32GetDatum(typmod)); });
}

const char *digits_of(Datum numeric) {
    return pg_call(
        [numeric] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
}

} // namespace

void read_numerics(std::span<const Datum> numerics, const char *name, std::span<money> amounts) {
    Assert(amounts.size() == numerics.size());
    const Datum *from = numerics.data();
    money *to = amounts.data();
    const std::size_t count = numerics.size();
    std::size_t next = 0;
    while ((next = pg_call([=] { return read_short(from, to, next, count); })) < count) {
        amounts[next] = money_from_numeric(numerics[next], name);
        ++next;
    }
}

std::optional<money> read_numeric(Datum numeric) {
    money amount;
    money *to = &amount;
    if (pg_call([=] { return read_short(&numeric, to, 0, 1); }) == 1)
        return amount;
    return money::parse(digits_of(numeric));
}

sql_error unreadable(const std::string &what, Datum numeric) {
    const std::string_view digits{digits_of(numeric)};
    if (digits.find_first_not_of("0123456789.-") != std::string_view::npos)
        return {state::numeric_value_out_of_range, what + " is not a finite number",
                "It is " + std::string{digits} + "."};
    return {state::numeric_value_out_of_range, what + " is out of range",
            "Amounts have at most 38 digits, decimals included."};
}

void make_numerics(std::span<const std::optional<money>> amounts, const amount_type &column,
                   std::span<Datum> numerics) {
    Assert(numerics.size() == amounts.size());
    const std::optional<money> *from = amounts.data();
    Datum *to = numerics.data();
    const std::size_t count = amounts.size();
    std::size_t next = 0;
    const int scale = column.has_limits ? std::max(column.scale, 0) : -1;
    while ((next = pg_call([=] { return make_short(from, scale, to, next, count); })) < count) {
        numerics[next] = make_long(*amounts[next], column);
        ++next;
    }
}

} // namespace lockstep
