// One connection that books transfers in one way, and again after 40001 and 40P01 until they are
// through: with exponential backoff and full jitter, as a careful client does.
#pragma once

#include "common/session.hpp"
#include "isolation/bank.hpp"

#include <random>

namespace lockstep::bench {

// How often the server ended an attempt.
struct aborts {
    std::size_t serialization = 0; // 40001
    std::size_t deadlock = 0;      // 40P01
};

class teller {
  public:
    teller(session &link, const way &which, bool flush, std::uint64_t seed);

    // Returns when it is committed. Throws what is worth no retry.
    aborts run(const errand &wanted);

  private:
    session &link_;
    std::mt19937_64 random_;
};

} // namespace lockstep::bench
