#include "transfers/chart.hpp"

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
constexpr double least_rate = 100;
constexpr double most_rate = 1'000'000;

struct one_bar {
    std::string label;
    bool ours = false;
    std::vector<double> rates;
};

struct panel {
    std::string title;
    std::vector<one_bar> bars;
};

double place_of(double rate) {
    const auto share = std::log10(std::clamp(rate, least_rate, most_rate) / least_rate) /
                       std::log10(most_rate / least_rate);
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

std::vector<panel> panels_of(const results &all) {
    std::vector<panel> panels;
    panel big{"8,000 items a call between 1,000 rows, one warm connection, flush on", {}};
    for (const auto &each : all.batches) {
        one_bar bar{label_of(each.who) + (each.ids == id_kind::random ? ", ids v4" : ""),
                    is_ours(each.who.how),
                    {}};
        for (const auto ms : each.warm_ms)
            bar.rates.push_back(static_cast<double>(each.who.items) * 1000 / ms);
        big.bars.push_back(bar);
    }
    panels.push_back(big);
    for (const auto &where :
         {conditions{spread::uniform, 8, true}, conditions{spread::uniform, 8, false},
          conditions{spread::hot_row, 8, true}}) {
        panel under_load{name_of(where), {}};
        for (const auto &each : all.cells)
            if (each.where == where)
                under_load.bars.push_back({label_of(each.who), is_ours(each.who.how), each.rates});
        panels.push_back(under_load);
    }
    std::erase_if(panels, [](const panel &each) { return each.bars.empty(); });
    return panels;
}

std::string scale(double from, double to) {
    std::string svg;
    for (double rate = least_rate; rate <= most_rate; rate *= 10) {
        const auto x = place_of(rate);
        svg += line_at(x, from, x, to, "#dddddd");
        svg += text_at(x, to + 15, rate < 1e6 ? with_commas(static_cast<std::size_t>(rate)) : "1M",
                       "class=\"scale\" text-anchor=\"middle\"");
    }
    return svg;
}

// The bar is the median, the thin line the spread.
std::string one_line(const one_bar &bar, double y) {
    const auto middle = y + thickness / 2;
    const auto x = place_of(median(bar.rates));
    const auto most = place_of(percentile(bar.rates, 1));
    return text_at(left - 8, middle + 4, bar.label, "text-anchor=\"end\"") +
           fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\""
                       " fill=\"{}\"/>\n",
                       left, y, std::max(x - left, 1.0), thickness,
                       bar.ours ? "#1b6ca8" : "#b0b7bf") +
           line_at(place_of(percentile(bar.rates, 0)), middle, most, middle, "#222222") +
           text_at(most + 8, middle + 4, shortened(median(bar.rates)), "class=\"figure\"");
}

} // namespace

std::string drawn(const results &all, const std::string &subtitle) {
    std::string body;
    double y = top;
    for (const auto &each : panels_of(all)) {
        body += text_at(24, y, each.title, "class=\"panel\"");
        const auto first = y + 14;
        const auto last = first + line * static_cast<double>(each.bars.size());
        body += scale(first - 4, last);
        for (std::size_t i = 0; i < each.bars.size(); ++i)
            body += one_line(each.bars[i], first + line * static_cast<double>(i));
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
           text_at(24, 30, "Transfers a second", "font-size=\"20\" font-weight=\"bold\"") +
           text_at(24, 52, subtitle, "class=\"scale\"") + body + "</svg>\n";
}

} // namespace lockstep::bench
