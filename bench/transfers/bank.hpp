// The tables that the contestants work on: of one shape, one ledger and one journal each.
#pragma once

#include "common/session.hpp"
#include "transfers/contestants.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

class bank {
  public:
    // Makes everything in an empty database.
    bank(session &admin, std::int64_t rows, std::vector<way> ways);

    // An empty journal, and a ledger without dead row versions.
    void reset(way how);
    // What does not hold: the sum, the number of bookings since the reset, and, for ours,
    // verify_ledger. Empty where all is well.
    std::vector<std::string> check(way how, std::size_t booked);

    // Between measurements: when much was written since the last one, a checkpoint, and then every
    // page is touched, so that nobody measured pays for the first touch after a checkpoint.
    void checkpoint_when_due();

    // Bytes of the log so far, and the next transaction id. Nobody else may be at work.
    std::int64_t log_position();
    std::int64_t next_xid();

  private:
    void make(way how);
    void checkpoint();

    session &admin_;
    std::int64_t rows_;
    std::vector<way> ways_;
    std::int64_t checkpoint_at_ = 0;
};

} // namespace lockstep::bench
