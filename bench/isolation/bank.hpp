// The tables that transfers are booked in: an account table and a journal for each manner, alike.
#pragma once

#include "common/session.hpp"
#include "isolation/ways.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lockstep::bench {

// One transfer that is wanted.
struct errand {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t amount = 0;
    std::string id; // a uuid of version 4
};

// What was acknowledged since the reset.
struct acknowledged {
    std::size_t commits = 0;
    std::int64_t amount = 0;
};

class bank {
  public:
    // Makes everything in an empty database; transfers are between so many rows.
    bank(session &admin, int rows);

    // The statement that books an errand: from, to, amount and id are its parameters.
    static std::string statement_of(manner how);
    // Each on a page of its own, in the table and in its index: what is locked there is nobody
    // else's.
    [[nodiscard]] errand draw(std::mt19937_64 &random) const;

    // Takes dead rows away, and remembers what the journal has.
    void reset(manner how);
    // What does not hold; empty where all is well.
    std::vector<std::string> check(manner how, const acknowledged &by_clients);
    // The whole of Lockstep's own books.
    std::vector<std::string> audit();

  private:
    acknowledged booked(manner how);

    session &admin_;
    int rows_;
    acknowledged before_;
};

} // namespace lockstep::bench
