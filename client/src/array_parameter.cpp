#include "array_parameter.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace lockstep::detail {
namespace {

// The server's numbers for the types; the same in every database.
constexpr std::uint32_t text_type = 25;
constexpr std::uint32_t uuid_type = 2950;

// Four of them must fit into one message: at 1 GB the server hangs up without a word.
constexpr std::size_t largest_array = 1UL << 28;
constexpr std::size_t head_size = 20, length_size = 4;

void append(std::string &bytes, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes += static_cast<char>(number >> shift & 0xff);
}

// What array_recv() reads before the elements, in a string with room for them.
std::string array_head(std::uint32_t type, std::size_t count, std::size_t content) {
    const auto size = head_size + count * length_size + content;
    if (size >= largest_array)
        throw std::invalid_argument("an array of 256 MB or more cannot be sent");
    std::string bytes;
    bytes.reserve(size);
    append(bytes, count == 0 ? 0 : 1); // dimensions
    append(bytes, 0);                  // no NULLs
    append(bytes, type);
    if (count > 0) {
        append(bytes, static_cast<std::uint32_t>(count));
        append(bytes, 1); // the first subscript
    }
    return bytes;
}

} // namespace

parameter array_of(std::span<const std::string_view> texts) {
    std::size_t content = 0;
    for (const auto text : texts) {
        if (text.find('\0') != std::string_view::npos)
            throw std::invalid_argument("a text parameter cannot have a zero byte");
        content += text.size();
    }
    auto bytes = array_head(text_type, texts.size(), content);
    for (const auto text : texts) {
        append(bytes, static_cast<std::uint32_t>(text.size()));
        bytes += text;
    }
    return binary_parameter::of(std::move(bytes));
}

parameter array_of(std::span<const request_id> ids) {
    constexpr std::size_t size = 16;
    auto bytes = array_head(uuid_type, ids.size(), ids.size() * size);
    for (const auto &id : ids) {
        append(bytes, size);
        for (const auto byte : id.bytes())
            bytes += static_cast<char>(byte);
    }
    return binary_parameter::of(std::move(bytes));
}

} // namespace lockstep::detail
