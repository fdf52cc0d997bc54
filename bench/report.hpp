// What the benchmark prints: on a terminal one line that moves, in a file plain lines.
#pragma once

#include "bars.hpp"
#include "figures.hpp"
#include "options.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

class report {
  public:
    explicit report(const options &wanted);

    void title();
    void setting(const std::string &name, const std::string &value);
    // On a terminal it gives way to what comes next; in a file it is left out.
    void step(const std::string &what);
    void measured(const cell &state);
    void table(const cells &all);
    void bars(const std::vector<bar> &all);
    // True when all edges were equal.
    bool verdict(const cells &all);

  private:
    void block(const cells &all, shape which, int other_locks);
    void clear_line();
    [[nodiscard]] std::string timing_text(const timing &seen) const;

    const options &wanted_;
    bool terminal_;
};

} // namespace lockstep::bench
