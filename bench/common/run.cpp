#include "common/run.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace lockstep::bench {
namespace {

std::atomic<bool> signal_came = false;

void on_signal(int) {
    signal_came = true;
}

} // namespace

int guarded(const std::string &program, const std::function<int()> &benchmark) {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return benchmark();
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "\n%s: %s\n", program.c_str(), problem.what());
        return 2;
    }
}

const std::atomic<bool> &interrupted() {
    return signal_came;
}

void check_not_interrupted() {
    if (signal_came)
        throw std::runtime_error("interrupted");
}

std::string load_of_machine() {
    double one_minute = 0;
    std::ifstream("/proc/loadavg") >> one_minute;
    return fmt::format("{} processors, load {:.2f} before it began",
                       std::thread::hardware_concurrency(), one_minute);
}

} // namespace lockstep::bench
