#include <lockstep/amount.hpp>

#include "core/money.hpp"

#include <stdexcept>

namespace lockstep {
namespace {

money parsed(std::string_view decimal) {
    if (const auto value = money::parse(decimal))
        return *value;
    throw std::invalid_argument("\"" + std::string(decimal.substr(0, 60)) +
                                "\" is not a decimal number");
}

} // namespace

amount::amount(std::string_view decimal) : text_(parsed(decimal).to_string()) {}

std::optional<std::int64_t> amount::as_int64() const {
    return parsed(text_).as_int64();
}

std::strong_ordering amount::compare(const amount &other) const {
    return parsed(text_) <=> parsed(other.text_);
}

} // namespace lockstep
