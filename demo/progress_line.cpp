#include "progress_line.hpp"

#include "invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace lockstep::demo {
namespace {

std::string repeated(std::string_view unit, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i)
        text += unit;
    return text;
}

} // namespace

std::string progress_text(const options &wanted, const progress &now) {
    const auto whole = std::chrono::duration<double>(wanted.duration);
    const auto rate =
        now.elapsed.count() > 0.1 ? static_cast<double>(now.transfers) / now.elapsed.count() : 0.0;
    return fmt::format("{:4.1f} of {} s   {:>7} transfers   {:>6} a second   {:>4} killed",
                       std::min(now.elapsed, whole).count(), wanted.duration.count(),
                       with_commas(now.transfers), with_commas(static_cast<std::uint64_t>(rate)),
                       now.killed);
}

line_parts progress_line(const options &wanted, const progress &now, std::size_t columns,
                         bool wide_characters) {
    constexpr std::size_t widest = 20;
    constexpr std::size_t narrowest = 5;
    const std::string margin = "  ";
    const auto text = progress_text(wanted, now);
    const auto room = columns > 0 ? columns - 1 : 0;
    const auto beside = margin.size() + 1 + text.size();
    if (room < beside + narrowest)
        return {.margin = "", .done = "", .left = "", .text = (margin + text).substr(0, room)};
    const auto bar = std::min(widest, room - beside);
    const auto share = std::min(1.0, now.elapsed / std::chrono::duration<double>(wanted.duration));
    const auto done = static_cast<std::size_t>(share * static_cast<double>(bar));
    return {.margin = margin,
            .done = repeated(wide_characters ? "█" : "#", done),
            .left = repeated(wide_characters ? "░" : ".", bar - done),
            .text = " " + text};
}

} // namespace lockstep::demo
