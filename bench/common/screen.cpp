#include "common/screen.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace lockstep::bench {
namespace {

bool is_terminal() {
    const char *const kind = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

void put(const std::string &text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

} // namespace

screen::screen() : terminal_(is_terminal()) {}

void screen::print(const std::string &text) {
    put((terminal_ ? "\r\x1b[K" : "") + text);
}

void screen::setting(const std::string &name, const std::string &value) {
    print(fmt::format("  {:<10}{}\n", name, value));
}

void screen::step(const std::string &what) {
    if (terminal_)
        print("  " + what.substr(0, 76) + " ...");
}

void screen::bars(const std::vector<bar> &all) {
    print("\nWhat it is meant to reach\n");
    for (const auto &each : all)
        print(fmt::format("  {:<13} {}\n                {}\n",
                          !each.measured ? "not measured"
                          : each.met     ? "met"
                                         : "missed",
                          each.what, each.measured ? each.figures : "not part of this run"));
}

} // namespace lockstep::bench
