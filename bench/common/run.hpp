// What surrounds every benchmark: how it is interrupted, what it says of the machine, how it ends.
#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace lockstep::bench {

// Runs the benchmark, and gives the exit status: 0 right, 1 wrong, 2 it could not run. The private
// server is removed in any case, so a signal only sets interrupted().
int guarded(const std::string &program, const std::function<int()> &benchmark);

const std::atomic<bool> &interrupted();
// Throws std::runtime_error once a signal has come.
void check_not_interrupted();

std::string load_of_machine();

} // namespace lockstep::bench
