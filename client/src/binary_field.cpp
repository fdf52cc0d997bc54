#include "binary_field.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lockstep::detail {
namespace {

[[noreturn]] void fail() {
    throw std::runtime_error("the server's lockstep gave a value in a form that this client does"
                             " not know");
}

// Reads what numeric_send(), timestamptz_send() and int4send() write: the highest byte first.
class reader {
  public:
    explicit reader(std::string_view bytes) noexcept : rest_(bytes) {}

    template <class Whole>
    Whole next() {
        if (rest_.size() < sizeof(Whole))
            fail();
        std::uint64_t value = 0;
        for (const char byte : rest_.substr(0, sizeof(Whole)))
            value = value << 8 | static_cast<std::uint8_t>(byte);
        rest_.remove_prefix(sizeof(Whole));
        return static_cast<Whole>(value);
    }

    void expect_end() const {
        if (!rest_.empty())
            fail();
    }

  private:
    std::string_view rest_;
};

constexpr int group_size = 4; // decimal digits that stand in one number

// Of one number of a numeric, with its leading zeros.
std::string group_text(int group) {
    if (group < 0 || group > 9999)
        fail();
    std::string digits(group_size, '0');
    for (auto digit = digits.rbegin(); group > 0; group /= 10)
        *digit++ = static_cast<char>('0' + group % 10);
    return digits;
}

// As the server would print it: no zeros in front, and as many decimals as the value has.
std::string numeric_text(std::string_view bytes) {
    constexpr std::uint16_t positive = 0, negative = 0x4000;
    reader read(bytes);
    const int groups = read.next<std::int16_t>();
    const int weight = read.next<std::int16_t>(); // of the first group, as a power of 10000
    const auto sign = read.next<std::uint16_t>();
    const int decimals = read.next<std::int16_t>();
    if (groups < 0 || decimals < 0 || (sign != positive && sign != negative))
        fail();
    std::string whole, fraction, text;
    // Groups of zeros are not sent: not those behind the point before the first other group, nor
    // those that come last.
    for (int power = weight; power < -1; ++power)
        fraction += group_text(0);
    for (int i = 0; i < groups; ++i)
        (weight - i >= 0 ? whole : fraction) += group_text(read.next<std::int16_t>());
    read.expect_end();
    if (weight >= 0)
        whole.resize((static_cast<std::size_t>(weight) + 1) * group_size, '0');
    fraction.resize(static_cast<std::size_t>(decimals), '0');
    whole.erase(0, whole.find_first_not_of('0'));
    if (whole.empty())
        whole += '0';
    text += sign == negative ? "-" : "";
    text += whole;
    text += decimals > 0 ? "." : "";
    return text += fraction;
}

} // namespace

std::int32_t integer_in(const field &one) {
    reader read(one.text());
    const auto value = read.next<std::int32_t>();
    read.expect_end();
    return value;
}

std::optional<amount> amount_in(const field &one) {
    if (one.is_null())
        return std::nullopt;
    return amount(numeric_text(one.text()));
}

std::optional<booking_time> time_in(const field &one) {
    using namespace std::chrono_literals;
    if (one.is_null())
        return std::nullopt;
    reader read(one.text());
    const auto since = read.next<std::int64_t>(); // microseconds from the beginning of 2000
    read.expect_end();
    if (since == std::numeric_limits<std::int64_t>::max() ||
        since == std::numeric_limits<std::int64_t>::min())
        fail();
    constexpr auto epoch = 946'684'800s;
    return booking_time(epoch + std::chrono::microseconds(since));
}

} // namespace lockstep::detail
