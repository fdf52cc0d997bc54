// Arrays as parameters of a statement: one dimension, in the server's binary form. There
// each element stands behind its length, so nothing is quoted, and any text arrives as it is in any
// encoding of the session. (In some, Shift JIS for one, part of a character looks like the
// backslash that the text form would need.)
#pragma once

#include <lockstep/parameter.hpp>
#include <lockstep/request_id.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep::detail {

// All throw std::invalid_argument for more than 256 MB, those of texts for one with a zero byte
// too: PostgreSQL has none. O(bytes).
[[nodiscard]] parameter array_of(std::span<const std::string_view> texts); // text[]
[[nodiscard]] parameter
array_of(std::span<const std::optional<std::string_view>> texts);  // the same
[[nodiscard]] parameter array_of(std::span<const request_id> ids); // uuid[]

// What the driver's side needs to know about a parameter, and nobody else.
struct binary_parameter {
    [[nodiscard]] static parameter of(std::string bytes) {
        parameter made(nullptr);
        made.text_ = std::move(bytes);
        made.is_binary_ = true;
        return made;
    }
    [[nodiscard]] static bool is(const parameter &one) noexcept { return one.is_binary_; }
};

} // namespace lockstep::detail
