#include "display.hpp"

#include <fmt/format.h>

#include <lockstep/core/retry_rules.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace lockstep::demo {
namespace {

std::string_view environment(const char *name) {
    const char *const value = std::getenv(name);
    return value != nullptr ? value : "";
}

bool is_utf8() {
    for (const auto *name : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (const auto value = environment(name); !value.empty())
            return value.find("UTF-8") != std::string_view::npos ||
                   value.find("utf8") != std::string_view::npos;
    return false;
}

std::string repeated(std::string_view unit, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i)
        text += unit;
    return text;
}

void print(const std::string &text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

} // namespace

display::display(const options &wanted)
    : wanted_(wanted), terminal_(isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb"),
      colour_(terminal_ && environment("NO_COLOR").empty()), wide_characters_(is_utf8()) {}

std::string display::painted(const char *code, const std::string &text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}
std::string display::bold(const std::string &text) const {
    return painted("1", text);
}
std::string display::green(const std::string &text) const {
    return painted("32", text);
}
std::string display::red(const std::string &text) const {
    return painted("1;31", text);
}
std::string display::dim(const std::string &text) const {
    return painted("2", text);
}

void display::clear_line() {
    if (terminal_)
        print("\r\x1b[K");
}

void display::title() {
    print(fmt::format("\n{}\n\n",
                      bold("Lockstep: transfers on an ordinary table, exactly once, while server "
                           "processes die")));
}

// On a terminal it gives way to what comes next.
void display::step(const std::string &what) {
    clear_line();
    print(terminal_ ? dim("  " + what + " ...") : "  " + what + " ...\n");
}

void display::setting(const std::string &name, const std::string &value) {
    clear_line();
    print(fmt::format("  {:<10}{}\n", name, value));
}

void display::show(const progress &now) {
    const auto whole = std::chrono::duration<double>(wanted_.duration);
    const auto rate =
        now.elapsed.count() > 0.1 ? static_cast<double>(now.transfers) / now.elapsed.count() : 0.0;
    const auto text = fmt::format(
        "{:4.1f} of {} s   {:>7} transfers   {:>6} a second   {:>4} killed",
        std::min(now.elapsed, whole).count(), wanted_.duration.count(), with_commas(now.transfers),
        with_commas(static_cast<std::uint64_t>(rate)), now.killed);
    if (terminal_) {
        constexpr std::size_t width = 20;
        const auto done = static_cast<std::size_t>(std::min(1.0, now.elapsed / whole) *
                                                   static_cast<double>(width));
        const auto bar = green(repeated(wide_characters_ ? "█" : "#", done)) +
                         dim(repeated(wide_characters_ ? "░" : ".", width - done));
        print("\r\x1b[K  " + bar + " " + text);
    } else if (now.elapsed >= next_line_) {
        print("  " + text + "\n");
        next_line_ = now.elapsed + std::chrono::seconds(3);
    }
}

void display::summary(const outcome &seen) {
    clear_line();
    const auto line = [](const std::string &name, std::uint64_t count, const std::string &note) {
        print(fmt::format("  {:<26}{:>10}   {}\n", name, with_commas(count), note));
    };
    const auto rate = static_cast<double>(seen.acknowledged.size()) / seen.took.count();
    print("\n" + bold("What happened") + "\n");
    line("transfers", seen.acknowledged.size(),
         with_commas(static_cast<std::uint64_t>(rate)) + " a second");
    line("server processes killed", seen.killed, "");
    line("commits in doubt", seen.in_doubt, "each found out by sending the same id again");
    std::uint64_t retries = 0;
    for (const auto &[sqlstate, count] : seen.retries)
        retries += count;
    line("retries", retries, "");
    for (const auto &[sqlstate, count] : seen.retries)
        line("  SQLSTATE " + (sqlstate.empty() ? std::string("none") : sqlstate), count,
             std::string(retry_rule_for(sqlstate).note));
    const auto deadlocks = seen.retries.find("40P01");
    line("deadlocks", deadlocks == seen.retries.end() ? 0 : deadlocks->second, "");
}

void display::verdict(const std::vector<finding> &findings) {
    clear_line();
    print("\n" + bold("What must hold") + "\n");
    bool all = true;
    for (const auto &each : findings) {
        all = all && each.holds;
        print(fmt::format("  {}  {}\n        {}\n", each.holds ? green("ok  ") : red("LOST"),
                          each.what, dim(each.detail)));
    }
    print("\n" + (all ? green("All of it holds.") : red("This must not happen.")) + "\n\n");
}

} // namespace lockstep::demo
