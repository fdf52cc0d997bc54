// The states that are measured: who holds what, and who waits for it. A state is built, stands
// still while it is measured, and is dissolved.
#pragma once

#include "common/session.hpp"
#include "crowd.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class shape { hot_row, chain, table_queue, advisory, prepared, pairs };

// In an order that lets the number of sessions grow: pairs need the most.
const std::vector<shape> &all_shapes();
std::string name_of(shape which);
// One line: what the sessions do.
std::string told(shape which);
// Throws std::invalid_argument for a name that there is not.
shape shape_named(const std::string &name);
std::size_t sessions_for(shape which, int waiters);

// The table that the states are made of.
void make_tables(session &admin, int most_waiters);

// waiters sessions wait while this lives. The destructor lets them go.
class frozen_state {
  public:
    frozen_state(session &admin, crowd &sessions, shape which, int waiters);
    ~frozen_state();
    frozen_state(const frozen_state &) = delete;
    frozen_state &operator=(const frozen_state &) = delete;

    // Throws when it has moved since.
    void check_still() const;

  private:
    void build();
    void wait_until_all_wait();
    void dissolve();
    [[nodiscard]] int waiting() const;

    session &admin_;
    crowd &sessions_;
    shape shape_;
    std::size_t waiters_;
};

// Locks that nobody waits for, held by one session of their own.
class other_locks {
  public:
    explicit other_locks(const std::string &conninfo) : holder_(conninfo, "bench other locks") {}
    void take(int count);
    void release();

  private:
    session holder_;
};

} // namespace lockstep::bench
