#include "core/words.hpp"

#include <algorithm>
#include <iterator>

namespace lockstep {

std::string duration_text(std::int64_t microseconds) {
    const std::int64_t seconds = (microseconds < 0 ? 0 : microseconds) / 1'000'000;
    const auto two = [](std::int64_t large, const char *unit, std::int64_t small,
                        const char *rest) {
        std::string text = std::to_string(large) + unit;
        if (small > 0)
            text += ' ' + std::to_string(small) + rest;
        return text;
    };
    if (seconds < 60)
        return std::to_string(seconds) + " s";
    if (seconds < 3600)
        return two(seconds / 60, " min", seconds % 60, " s");
    if (seconds < 86400)
        return two(seconds / 3600, " h", seconds % 3600 / 60, " min");
    return two(seconds / 86400, " d", seconds % 86400 / 3600, " h");
}

std::string count_text(std::int64_t count) {
    std::string digits = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t i = digits.size(); i > first + 3;) {
        i -= 3;
        digits.insert(i, 1, ',');
    }
    return digits;
}

std::string bytes_text(std::int64_t bytes) {
    // As pg_size_pretty() does: up to ten thousand of a unit, rounded.
    constexpr const char *units[] = {" bytes", " kB", " MB", " GB", " TB"};
    std::size_t unit = 0;
    while (bytes >= 10240 && unit + 1 < std::size(units)) {
        bytes = (bytes + 512) / 1024;
        ++unit;
    }
    return std::to_string(bytes) + units[unit];
}

std::string vxid_text(std::int32_t slot, std::uint32_t local) {
    return std::to_string(slot) + '/' + std::to_string(local);
}

std::string one_line(std::string words) {
    for (char &c : words)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = ' ';
    return words;
}

std::vector<std::string_view> lines_of(std::string_view page) {
    std::vector<std::string_view> lines;
    while (!page.empty()) {
        const std::size_t end = std::min(page.find('\n'), page.size());
        lines.push_back(page.substr(0, end));
        page.remove_prefix(std::min(end + 1, page.size()));
    }
    return lines;
}

} // namespace lockstep
