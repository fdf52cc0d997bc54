// The transactions that are run, and the tables under them.
#pragma once

#include "common/session.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class job {
    hot_row,    // look at a balance, change it, write a line of history: one row for all
    write_skew, // count who is on call, note it, go off or on call: 8 of 16 must stay
};

std::string key_of(job what);
std::string label_of(job what);

// The statements in their order. Each uses the first so many parameters, from the first on.
struct statement {
    std::string sql;
    std::size_t parameters;
};
const std::vector<statement> &statements_of(job what);
// A PL/pgSQL function of that name does the same.
std::string function_of(job what);

// One transaction that is wanted: its parameters, and what it adds to the hot row.
struct errand {
    std::vector<std::string> parameters;
    std::int64_t amount = 0;
};
errand draw(job what, std::mt19937_64 &random);

// What was acknowledged since the reset.
struct acknowledged {
    std::size_t commits = 0;
    std::int64_t amount = 0;
};

class tables {
  public:
    // Makes everything in an empty database.
    explicit tables(session &admin);

    void reset(job what);
    // What does not hold; empty where all is well.
    std::vector<std::string> check(job what, const acknowledged &by_clients);

  private:
    std::vector<std::string> check_hot_row(const acknowledged &by_clients);
    std::vector<std::string> check_write_skew(const acknowledged &by_clients);

    session &admin_;
};

} // namespace lockstep::bench
