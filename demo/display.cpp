#include "display.hpp"

#include "progress_line.hpp"

#include <fmt/format.h>

#include <lockstep/core/retry_rules.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
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

// Asked each time: a window may become narrower.
std::size_t columns_of_terminal() {
    if (const int columns = std::atoi(std::string(environment("COLUMNS")).c_str()); columns > 0)
        return static_cast<std::size_t>(columns);
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
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
    if (terminal_) {
        const auto line = progress_line(wanted_, now, columns_of_terminal(), wide_characters_);
        print("\r\x1b[K" + line.margin + green(line.done) + dim(line.left) + line.text);
    } else if (now.elapsed >= next_line_) {
        print("  " + progress_text(wanted_, now) + "\n");
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
