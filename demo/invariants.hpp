// What must hold after the load, asked of the server with plain SQL.
#pragma once

#include "load.hpp"

#include <lockstep/lockstep.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::demo {

struct finding {
    bool holds;
    std::string what;   // as a sentence that is true when it holds
    std::string detail; // the figures behind it
};

class invariants {
  public:
    explicit invariants(client &asking) noexcept : asking_(asking) {}

    // Before the load.
    void remember();
    // After it.
    [[nodiscard]] std::vector<finding> check(const outcome &seen);

  private:
    [[nodiscard]] std::string value(const std::string &sql,
                                    const std::optional<std::string> &argument = {});

    client &asking_;
    std::string sum_before_;
    std::string deadlocks_before_;
};

// 1234567 as 1,234,567
[[nodiscard]] std::string with_commas(std::uint64_t number);

} // namespace lockstep::demo
