// A statement's parameter in text form; the server converts it to the type that the statement
// needs. Made implicitly from what callers have at hand, so that exec("... $1", 42) reads well.
#pragma once

#include <lockstep/amount.hpp>
#include <lockstep/core/export.hpp>
#include <lockstep/request_id.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

namespace detail {
struct binary_parameter;
}

class LOCKSTEP_EXPORT parameter {
  public:
    parameter(std::nullptr_t) noexcept {}
    parameter(bool value) : text_(value ? "true" : "false") {}
    template <std::integral Whole>
    requires(!std::same_as<Whole, bool> && !std::same_as<Whole, char>) parameter(Whole value)
        : text_(std::to_string(value)) {}
    // The shortest text that reads back as the same number.
    parameter(double value);
    // Throw std::invalid_argument for a text with a zero byte: PostgreSQL has none.
    parameter(std::string value);
    parameter(std::string_view value) : parameter(std::string(value)) {}
    parameter(const char *value) : parameter(std::string(value)) {}
    parameter(const amount &value) : text_(value.text()) {}
    parameter(const request_id &value) : text_(value.to_string()) {}
    template <class Value>
    parameter(const std::optional<Value> &value)
        : text_(value ? parameter(*value).text_ : std::nullopt) {}

    // Nothing is NULL.
    [[nodiscard]] const std::optional<std::string> &text() const noexcept { return text_; }

  private:
    friend struct detail::binary_parameter;
    std::optional<std::string> text_;
    bool is_binary_ = false; // an array of the client's own
};

} // namespace lockstep
