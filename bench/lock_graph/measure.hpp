// Measures every state with every method.
#pragma once

#include "figures.hpp"
#include "options.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>

namespace lockstep::bench {

class measurement {
  public:
    using told = std::function<void(const std::string &)>;
    // step: what is done now; it ceases to be of interest. done: a state that was measured.
    measurement(const options &wanted, const std::string &conninfo, std::uint64_t seed, told step,
                std::function<void(const cell &)> done);

    cells run();

  private:
    void measure(shape which, int waiters, cells &all);
    cell measure_state(shape which, int waiters, int other_locks);
    void time_methods(cell &state);
    void time_snapshots(cell &state);

    const options &wanted_;
    told step_;
    std::function<void(const cell &)> done_;
    session admin_;
    session monitor_;
    crowd sessions_;
    other_locks others_;
    std::mt19937_64 random_;
    // Shape and method: no more of it.
    std::map<std::pair<shape, std::size_t>, bool> given_up_;
};

} // namespace lockstep::bench
