#include "transfers/encode.hpp"

#include <algorithm>

namespace lockstep::bench {
namespace {

// Most significant byte first, as everything that is sent.
void put(std::string &bytes, std::uint64_t number, int size) {
    for (int i = size - 1; i >= 0; --i)
        bytes.push_back(static_cast<char>(number >> (8 * i) & 0xffU));
}

// Of a number that is not negative: its digits to the base of 10,000.
void put_numeric(std::string &bytes, std::int64_t number) {
    std::vector<std::int64_t> digits;
    for (; number > 0; number /= 10'000)
        digits.push_back(number % 10'000);
    std::reverse(digits.begin(), digits.end());
    put(bytes, digits.size(), 2);
    put(bytes, digits.empty() ? 0 : digits.size() - 1, 2); // weight of the first
    put(bytes, 0, 2);                                      // sign
    put(bytes, 0, 2);                                      // decimals
    for (const auto digit : digits)
        put(bytes, static_cast<std::uint64_t>(digit), 2);
}

void put_element(std::string &bytes, field which, const wish &of) {
    switch (which) {
    case field::from: put(bytes, static_cast<std::uint64_t>(of.from), 8); break;
    case field::to: put(bytes, static_cast<std::uint64_t>(of.to), 8); break;
    case field::amount: put(bytes, static_cast<std::uint64_t>(of.amount), 8); break;
    case field::amount_as_numeric: put_numeric(bytes, of.amount); break;
    case field::id: bytes.append(of.id.begin(), of.id.end()); break;
    }
}

// From pg_type.
std::uint64_t type_of(field which) {
    switch (which) {
    case field::from:
    case field::to:
    case field::amount: return 20;
    case field::amount_as_numeric: return 1700;
    case field::id: return 2950;
    }
    return 0;
}

} // namespace

value bigint_of(std::int64_t number) {
    value result{{}, true};
    put(result.bytes, static_cast<std::uint64_t>(number), 8);
    return result;
}

value numeric_of(std::int64_t number) {
    value result{{}, true};
    put_numeric(result.bytes, number);
    return result;
}

value uuid_of(const std::array<std::uint8_t, 16> &id) {
    return {{id.begin(), id.end()}, true};
}

value array_of(field which, std::span<const wish> wishes) {
    value result{{}, true};
    result.bytes.reserve(20 + wishes.size() * 20);
    put(result.bytes, 1, 4); // dimensions
    put(result.bytes, 0, 4); // no nulls
    put(result.bytes, type_of(which), 4);
    put(result.bytes, wishes.size(), 4);
    put(result.bytes, 1, 4); // the first element's number
    std::string one;
    for (const auto &each : wishes) {
        one.clear();
        put_element(one, which, each);
        put(result.bytes, one.size(), 4);
        result.bytes += one;
    }
    return result;
}

} // namespace lockstep::bench
