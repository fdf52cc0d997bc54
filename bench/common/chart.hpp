// Results as a drawing: an SVG file of bars on logarithmic scales.
#pragma once

#include <string>
#include <vector>

namespace lockstep::bench {

struct chart_bar {
    std::string label;
    bool ours = false;
    std::vector<double> values; // the bar is the median, the thin line the spread
};

// Bars on one scale, from least to most.
struct panel {
    std::string title;
    std::vector<chart_bar> bars;
    double least = 100;
    double most = 1'000'000;
};

struct chart {
    std::string title;
    std::string subtitle;
    std::vector<panel> panels;
};

// One under the other; a panel without bars is left out.
std::string drawn(const chart &what);

} // namespace lockstep::bench
