// Request ids: 16 bytes of a UUID. A fresh one leads with the time, so that ids made one after the
// other stand beside each other in the journal's index; a named one is the same for the same name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lockstep {

using uuid_bytes = std::array<std::uint8_t, 16>;

// The name space of lockstep.request_id(text): any language's uuid5() gives the same id with it.
// d3f0b9ae-7c52-4d0e-9a49-6c6f636b7374
constexpr uuid_bytes request_id_namespace{0xd3, 0xf0, 0xb9, 0xae, 0x7c, 0x52, 0x4d, 0x0e,
                                          0x9a, 0x49, 0x6c, 0x6f, 0x63, 0x6b, 0x73, 0x74};

// A version 7 UUID (RFC 9562) from milliseconds since 1970 and ten random bytes.
[[nodiscard]] constexpr uuid_bytes uuid_version_7(std::uint64_t unix_ms,
                                                  const std::array<std::uint8_t, 10> &random) {
    uuid_bytes id{};
    for (std::size_t i = 0; i < 6; ++i)
        id[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
    for (std::size_t i = 0; i < random.size(); ++i)
        id[6 + i] = random[i];
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0fU) | 0x70U);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3fU) | 0x80U);
    return id;
}

// A version 5 UUID (RFC 9562) from the SHA-1 of the name space's bytes followed by the name's.
[[nodiscard]] constexpr uuid_bytes uuid_version_5(const std::array<std::uint8_t, 20> &sha1) {
    uuid_bytes id{};
    for (std::size_t i = 0; i < id.size(); ++i)
        id[i] = sha1[i];
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0fU) | 0x50U);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3fU) | 0x80U);
    return id;
}

// Where the 36 characters of a UUID's text are no digits.
[[nodiscard]] constexpr bool is_hyphen_of_uuid(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

// The id in that form, in lower case, as the server writes it.
[[nodiscard]] inline std::string id_text(const uuid_bytes &id) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (const std::uint8_t byte : id) {
        if (is_hyphen_of_uuid(text.size()))
            text.push_back('-');
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 0x0fU]);
    }
    return text;
}

} // namespace lockstep
