// Long attempts that deadlock: five connections with three bulk updates each, 2,400 of 3,000 rows
// in random order in one statement, READ COMMITTED. Here a wrong pause does not cost a few commits,
// it keeps nearly all of them from ending; so what is asked is how many end, and how soon.
#pragma once

#include "common/screen.hpp"
#include "common/session.hpp"
#include "retry/options.hpp"

#include <random>
#include <string>
#include <vector>

namespace lockstep::bench {

// One way, with one figure a turn.
struct long_attempts_seen {
    std::string key;
    std::string label;
    std::vector<double> ended;    // of 15
    std::vector<double> seconds;  // until the last of them had ended or given up
    std::vector<double> attempts; // mean of those that ended
};

struct long_attempts_results {
    std::vector<long_attempts_seen> ways;
    std::vector<std::string> wrong;
};

// Prints its table as well, but for a test.
long_attempts_results measure_long_attempts(const options &wanted, session &admin, pool &links,
                                            std::mt19937_64 &random, screen &out);

} // namespace lockstep::bench
