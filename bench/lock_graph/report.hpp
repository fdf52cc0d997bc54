// What the benchmark of the lock graph prints.
#pragma once

#include "common/screen.hpp"
#include "figures.hpp"
#include "options.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

class report : public screen {
  public:
    explicit report(const options &wanted) : wanted_(wanted) {}

    void title();
    void measured(const cell &state);
    void table(const cells &all);
    // True when all edges were equal.
    bool verdict(const cells &all);

  private:
    void block(const cells &all, shape which, int other_locks);
    [[nodiscard]] std::string timing_text(const timing &seen) const;

    const options &wanted_;
};

} // namespace lockstep::bench
