// What the demo prints: for a terminal with colour and one line that moves, for a file plain lines.
#pragma once

#include "invariants.hpp"
#include "load.hpp"
#include "options.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace lockstep::demo {

class display {
  public:
    explicit display(const options &wanted);

    void title();
    // A step that takes a moment; said before it begins.
    void step(const std::string &what);
    void setting(const std::string &name, const std::string &value);
    void show(const progress &now);
    void summary(const outcome &seen);
    void verdict(const std::vector<finding> &findings);

  private:
    [[nodiscard]] std::string bold(const std::string &text) const;
    [[nodiscard]] std::string green(const std::string &text) const;
    [[nodiscard]] std::string red(const std::string &text) const;
    [[nodiscard]] std::string dim(const std::string &text) const;
    [[nodiscard]] std::string painted(const char *code, const std::string &text) const;
    void clear_line();

    const options &wanted_;
    bool terminal_;
    bool colour_;
    bool wide_characters_;
    std::chrono::duration<double> next_line_{3}; // when not on a terminal
};

} // namespace lockstep::demo
