// What a benchmark prints: on a terminal with one line that moves, in a file plain lines.
#pragma once

#include "common/bar.hpp"

#include <string>
#include <vector>

namespace lockstep::bench {

class screen {
  public:
    screen();

    // Text as it is; a step that stands there gives way to it.
    void print(const std::string &text);
    void setting(const std::string &name, const std::string &value);
    // On a terminal it gives way to what comes next; in a file it is left out.
    void step(const std::string &what);
    void bars(const std::vector<bar> &all);

  private:
    bool terminal_;
};

} // namespace lockstep::bench
