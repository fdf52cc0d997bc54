#include "array_parameter.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace lockstep::detail {
namespace {

// The server's numbers for the types; the same in every database.
constexpr std::uint32_t text_type = 25;
constexpr std::uint32_t uuid_type = 2950;

// Some of them must fit into one message: at 1 GB the server hangs up without a word.
constexpr std::size_t largest_array = 1UL << 28;
constexpr std::size_t head_size = 20, length_size = 4;
constexpr std::uint32_t no_value = 0xffffffff; // in place of a length

void append(std::string &bytes, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes += static_cast<char>(number >> shift & 0xff);
}

// What array_recv() reads before the elements, in a string with room for them.
std::string array_head(std::uint32_t type, std::size_t count, std::size_t content,
                       bool has_nulls = false) {
    const auto size = head_size + count * length_size + content;
    if (size >= largest_array)
        throw std::invalid_argument("an array of 256 MB or more cannot be sent");
    std::string bytes;
    bytes.reserve(size);
    append(bytes, count == 0 ? 0 : 1); // dimensions
    append(bytes, has_nulls ? 1 : 0);
    append(bytes, type);
    if (count > 0) {
        append(bytes, static_cast<std::uint32_t>(count));
        append(bytes, 1); // the first subscript
    }
    return bytes;
}

// Text, or nothing for NULL.
template <class Text>
parameter text_array(std::span<const Text> texts) {
    std::size_t content = 0;
    bool has_nulls = false;
    for (const std::optional<std::string_view> text : texts) {
        has_nulls = has_nulls || !text;
        if (text && text->find('\0') != std::string_view::npos)
            throw std::invalid_argument("a text parameter cannot have a zero byte");
        content += text ? text->size() : 0;
    }
    auto bytes = array_head(text_type, texts.size(), content, has_nulls);
    for (const std::optional<std::string_view> text : texts) {
        append(bytes, text ? static_cast<std::uint32_t>(text->size()) : no_value);
        bytes += text.value_or("");
    }
    return binary_parameter::of(std::move(bytes));
}

} // namespace

parameter array_of(std::span<const std::string_view> texts) {
    return text_array(texts);
}

parameter array_of(std::span<const std::optional<std::string_view>> texts) {
    return text_array(texts);
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
