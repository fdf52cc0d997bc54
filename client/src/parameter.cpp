#include <lockstep/parameter.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace lockstep {

parameter::parameter(double value) {
    if (!std::isfinite(value)) {
        text_ = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        return;
    }
    std::array<char, 32> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    text_ = std::string(digits.data(), written.ptr);
}

parameter::parameter(std::string value) {
    // libpq would cut it off there without a word.
    if (value.find('\0') != std::string::npos)
        throw std::invalid_argument("a text parameter cannot have a zero byte");
    text_ = std::move(value);
}

} // namespace lockstep
