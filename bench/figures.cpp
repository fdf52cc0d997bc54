#include "figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::bench {

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

const cell *find(const cells &all, shape which, int waiters, int other_locks) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const cell &each) {
        return each.which == which && each.waiters == waiters && each.other_locks == other_locks;
    });
    return found != all.end() ? &*found : nullptr;
}

std::string with_commas(std::size_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4)
        digits.insert(digits.size() - from_end, 1, ',');
    return digits;
}

std::string name_of(const cell &state) {
    return fmt::format("{}, {} waiter{}, {} other locks", name_of(state.which),
                       with_commas(static_cast<std::size_t>(state.waiters)),
                       state.waiters == 1 ? "" : "s",
                       with_commas(static_cast<std::size_t>(state.other_locks)));
}

std::string in_milliseconds(double value) {
    if (value < 10)
        return fmt::format("{:.2f}", value);
    if (value < 100)
        return fmt::format("{:.1f}", value);
    return with_commas(static_cast<std::size_t>(std::llround(value)));
}

} // namespace lockstep::bench
