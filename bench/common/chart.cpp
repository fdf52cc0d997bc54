#include "common/chart.hpp"

#include "common/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::bench {
namespace {

constexpr double width = 960;
constexpr double left = 290;     // where the bars begin
constexpr double right = 840;    // where the scale ends; figures stand beyond it
constexpr double line = 24;      // from one bar to the next
constexpr double thickness = 15; // of a bar
constexpr double top = 84;

double place_of(double value, const panel &on) {
    const auto share = std::log10(std::clamp(value, on.least, on.most) / on.least) /
                       std::log10(on.most / on.least);
    return left + share * (right - left);
}

std::string text_at(double x, double y, const std::string &text, const std::string &more = "") {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more, text);
}

std::string line_at(double x1, double y1, double x2, double y2, const char *colour) {
    return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\""
                       " stroke=\"{}\"/>\n",
                       x1, y1, x2, y2, colour);
}

std::string scale_text(double value) {
    return value < 1     ? fmt::format("{}", value)
           : value < 1e6 ? with_commas(static_cast<std::size_t>(value))
                         : "1M";
}

std::string scale(const panel &on, double from, double to) {
    std::string svg;
    // A little above, because tenths are not exact.
    for (double value = on.least; value <= on.most * 1.001; value *= 10) {
        const auto x = place_of(value, on);
        svg += line_at(x, from, x, to, "#dddddd");
        svg += text_at(x, to + 15, scale_text(value), "class=\"scale\" text-anchor=\"middle\"");
    }
    return svg;
}

std::string one_line(const panel &on, const chart_bar &bar, double y) {
    const auto middle = y + thickness / 2;
    const auto x = place_of(median(bar.values), on);
    const auto most = place_of(percentile(bar.values, 1), on);
    return text_at(left - 8, middle + 4, bar.label, "text-anchor=\"end\"") +
           fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\""
                       " fill=\"{}\"/>\n",
                       left, y, std::max(x - left, 1.0), thickness,
                       bar.ours ? "#1b6ca8" : "#b0b7bf") +
           line_at(place_of(percentile(bar.values, 0), on), middle, most, middle, "#222222") +
           text_at(most + 8, middle + 4, shortened(median(bar.values)), "class=\"figure\"");
}

} // namespace

std::string drawn(const chart &what) {
    std::string body;
    double y = top;
    for (const auto &each : what.panels) {
        if (each.bars.empty())
            continue;
        body += text_at(24, y, each.title, "class=\"panel\"");
        const auto first = y + 14;
        const auto last = first + line * static_cast<double>(each.bars.size());
        body += scale(each, first - 4, last);
        for (std::size_t i = 0; i < each.bars.size(); ++i)
            body += one_line(each, each.bars[i], first + line * static_cast<double>(i));
        y = last + 56;
    }
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\""
               " viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\""
               " font-size=\"13\">\n"
               "<style>.panel{{font-weight:bold;font-size:15px}}"
               ".scale{{fill:#666666;font-size:11px}}.figure{{font-weight:bold}}</style>\n"
               "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
               width, y - 20) +
           text_at(24, 30, what.title, "font-size=\"20\" font-weight=\"bold\"") +
           text_at(24, 52, what.subtitle, "class=\"scale\"") + body + "</svg>\n";
}

} // namespace lockstep::bench
