// The seed of a test's random choices, printed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace lockstep::testing {

// LOCKSTEP_SEED repeats it, else it is another one each time.
inline std::uint64_t random_seed() {
    const char *const given = std::getenv("LOCKSTEP_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed " << seed << " (LOCKSTEP_SEED=" << seed << " repeats it)\n";
    return seed;
}

class dice {
  public:
    explicit dice(std::uint64_t seed) : random_{seed} {}

    // From 0 to below the limit.
    std::int32_t below(std::size_t limit) { return static_cast<std::int32_t>(random_() % limit); }
    std::int32_t between(std::int32_t low, std::int32_t high) {
        return low + below(static_cast<std::size_t>(high - low) + 1);
    }
    bool percent(int chance) { return below(100) < chance; }
    std::mt19937_64 &engine() { return random_; }

  private:
    std::mt19937_64 random_;
};

} // namespace lockstep::testing
