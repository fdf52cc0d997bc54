// The few statistics that measurements are told in, and how numbers are written for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

// Nearest rank: a figure that was measured. 0 for none at all.
double percentile(std::vector<double> values, double share);
inline double median(const std::vector<double> &values) {
    return percentile(values, 0.5);
}
// Of ratios, where the middle of 1/2 and 2 is 1.
double geometric_mean(const std::vector<double> &values);

std::string with_commas(std::size_t number);
// Three digits that count: 950, 12.3k, 1.24M.
std::string shortened(double number);
// "12.3k (11.9k..12.8k)": median and spread.
std::string with_spread(const std::vector<double> &values);

} // namespace lockstep::bench
