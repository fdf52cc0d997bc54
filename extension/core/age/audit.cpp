#include "core/age/audit.hpp"

#include "core/words.hpp"

#include <algorithm>
#include <string_view>

namespace lockstep::age {

namespace {

constexpr std::size_t width = 100;
constexpr std::size_t margin = 11; // "emergency" and two spaces

// Bytes that begin a character in UTF-8; in other encodings a line may come out shorter.
std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

// Breaks at spaces; a word that is too long stays whole.
void add_wrapped(std::string &page, std::string_view label, std::string_view text) {
    std::string line(margin, ' ');
    line += label;
    // Farther in than where a line of ours begins: what goes on there may be somebody's name.
    constexpr std::size_t indent = margin + 5;
    bool is_first = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!is_first && characters(line) + 1 + characters(word) > width) {
            page += line + '\n';
            line.assign(indent, ' ');
            is_first = true;
        }
        if (!is_first)
            line += ' ';
        line += word;
        is_first = false;
    }
    page += line + '\n';
}

void add_entry(std::string &page, const audit_entry &entry) {
    std::string level{severity_name(entry.level)};
    level.resize(margin, ' ');
    page += '\n' + level + entry.who + '\n';
    if (!entry.holds.empty())
        add_wrapped(page, "", entry.holds);
    if (!entry.reason.empty())
        add_wrapped(page, "why  ", entry.reason);
    if (!entry.advice.empty())
        add_wrapped(page, "do   ", entry.advice);
    if (entry.action.empty())
        return;
    // A line break in a name must not look like a line of ours, and cannot be left out of it
    // either.
    const bool is_plain = one_line(entry.action) == entry.action;
    page += std::string(margin, ' ') + "run  " +
            (is_plain ? entry.action
                      : std::string{"(a name with control characters: see action_sql)"}) +
            '\n';
}

// "2 critical, 1 warning and 3 notice"; nothing where there is nothing to say.
std::string counts_text(const std::vector<audit_entry> &entries, std::size_t from) {
    std::vector<std::string> counts;
    for (int level = static_cast<int>(severity::stop); level >= static_cast<int>(severity::notice);
         --level) {
        const auto count = std::count_if(
            entries.begin() + static_cast<std::ptrdiff_t>(from), entries.end(),
            [level](const audit_entry &one) { return static_cast<int>(one.level) == level; });
        if (count > 0)
            counts.push_back(std::to_string(count) + ' ' +
                             std::string{severity_name(static_cast<severity>(level))});
    }
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i)
        text += (i == 0 ? "" : i + 1 == counts.size() ? " and " : ", ") + counts[i];
    return text;
}

} // namespace

std::string audit_text(const audit_page &page) {
    std::string text;
    for (const std::string &line : page.head)
        text += line + '\n';
    const std::string all = counts_text(page.entries, 0);
    text += "findings: " + (all.empty() ? "none" : all) + '\n';
    std::size_t written = 0;
    while (written < page.entries.size() && written < page.most &&
           page.entries[written].level >= severity::warning)
        add_entry(text, page.entries[written++]);
    if (const std::string rest = counts_text(page.entries, written); !rest.empty())
        text += "\nnot written out: " + rest +
                " (lockstep.transaction_age, lockstep.wraparound_status)\n";
    return text;
}

} // namespace lockstep::age
