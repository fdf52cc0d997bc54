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

} // namespace lockstep::bench
