#include "common/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::bench {
namespace {

std::string three_digits(double number, const char *unit) {
    return fmt::format("{:.{}f}{}", number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, unit);
}

} // namespace

double percentile(std::vector<double> values, double share) {
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    const auto rank = std::ceil(share * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double geometric_mean(const std::vector<double> &values) {
    double sum = 0;
    for (const auto value : values)
        sum += std::log(value);
    return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

std::string with_commas(std::size_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4)
        digits.insert(digits.size() - from_end, 1, ',');
    return digits;
}

std::string shortened(double number) {
    if (number < 999.5)
        return number < 1 ? fmt::format("{:.2f}", number) : three_digits(number, "");
    if (number < 999'500)
        return three_digits(number / 1000, "k");
    return three_digits(number / 1'000'000, "M");
}

std::string with_spread(const std::vector<double> &values) {
    return values.empty()
               ? "-"
               : fmt::format("{} ({}..{})", shortened(median(values)),
                             shortened(percentile(values, 0)), shortened(percentile(values, 1)));
}

} // namespace lockstep::bench
