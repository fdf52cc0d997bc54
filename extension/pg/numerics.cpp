#include "pg/numerics.hpp"

#include "core/call_memory.hpp"
#include "pg/values.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

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

// An amount that 64 bits hold, as the guard can carry it out.
struct short_amount {
    std::int64_t coefficient;
    int scale;
};

// False where 64 bits do not hold the coefficient, or it is no finite number.
bool read_wire(const unsigned char *wire, short_amount &amount) {
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
    amount = {sign == negative ? -coefficient : coefficient, scale};
    return true;
}

inline namespace guarded {

// From `first` on, up to one that takes the long way; its index.
std::size_t read_short(const Datum *numerics, short_amount *amounts, std::size_t first,
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

// The other way round.
std::size_t make_short(const std::optional<money> *amounts, Datum *numerics, std::size_t first,
                       std::size_t count) {
    for (std::size_t i = first; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        numerics[i] = Datum{0};
        if (!amounts[i])
            continue;
        const auto coefficient = amounts[i]->coefficient();
        if (!coefficient)
            return i;
        numerics[i] = NumericGetDatum(int64_div_fast_to_numeric(*coefficient, amounts[i]->scale()));
    }
    return count;
}

} // namespace guarded

money amount_of(const short_amount &one) {
    return *money::of_parts(one.coefficient, one.scale);
}

const char *digits_of(Datum numeric) {
    return pg_call(
        [numeric] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
}

} // namespace

void read_numerics(std::span<const Datum> numerics, const char *name, std::span<money> amounts) {
    Assert(amounts.size() == numerics.size());
    const Datum *from = numerics.data();
    const std::size_t count = numerics.size();
    call_vector<short_amount> found(count);
    short_amount *to = found.data();
    for (std::size_t next = 0; next < count; ++next) {
        const std::size_t first = next;
        next = pg_call([=] { return read_short(from, to, first, count); });
        for (std::size_t i = first; i < next; ++i)
            amounts[i] = amount_of(found[i]);
        if (next < count)
            amounts[next] = money_from_numeric(numerics[next], name);
    }
}

std::optional<money> read_numeric(Datum numeric) {
    short_amount amount{};
    short_amount *to = &amount;
    if (pg_call([=] { return read_short(&numeric, to, 0, 1); }) == 1)
        return amount_of(amount);
    return money::parse(digits_of(numeric));
}

sql_error unreadable(const std::string &what, Datum numeric) {
    return {state::numeric_value_out_of_range, what + " is not a finite number",
            "It is " + std::string{digits_of(numeric)} + "."};
}

void make_numerics(std::span<const std::optional<money>> amounts, std::span<Datum> numerics) {
    Assert(numerics.size() == amounts.size());
    const std::optional<money> *from = amounts.data();
    Datum *to = numerics.data();
    const std::size_t count = amounts.size();
    std::size_t next = 0;
    while ((next = pg_call([=] { return make_short(from, to, next, count); })) < count) {
        numerics[next] = numeric_from_money(*amounts[next]);
        ++next;
    }
}

} // namespace lockstep
