#include <lockstep/request_id.hpp>

#include "core/request_id.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <unistd.h>

namespace lockstep {
namespace {

constexpr int digit_value(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

} // namespace

request_id request_id::make() {
    std::array<std::uint8_t, 10> random{};
    if (getentropy(random.data(), random.size()) != 0)
        throw std::system_error(errno, std::generic_category(), "could not read random bytes");
    using namespace std::chrono;
    const auto since_1970 = system_clock::now().time_since_epoch();
    const auto whole = duration_cast<milliseconds>(since_1970);
    // The twelve bits after the version carry the fraction of the millisecond, as PostgreSQL's own
    // uuidv7() has them: ids of one thread ascend within a millisecond too.
    const auto fraction = static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(since_1970 - whole).count() * 4096 / 1'000'000);
    random[0] = static_cast<std::uint8_t>(fraction >> 8);
    random[1] = static_cast<std::uint8_t>(fraction);
    return request_id(uuid_version_7(static_cast<std::uint64_t>(whole.count()), random));
}

std::optional<request_id> request_id::parse(std::string_view text) noexcept {
    if (text.size() != 36)
        return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_hyphen_of_uuid(i)) {
            if (text[i] != '-')
                return std::nullopt;
            continue;
        }
        const int value = digit_value(text[i]);
        if (value < 0)
            return std::nullopt;
        auto &byte = bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
    }
    return request_id(bytes);
}

std::string request_id::to_string() const {
    return id_text(bytes_);
}

} // namespace lockstep
