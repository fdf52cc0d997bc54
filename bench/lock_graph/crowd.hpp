// Many sessions that hold locks and wait for them.
#pragma once

#include "common/session.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::bench {

class crowd {
  public:
    explicit crowd(std::string conninfo) : conninfo_(std::move(conninfo)) {}

    // Exactly so many: an idle session too costs those who look at every session.
    void resize(std::size_t count);
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

    using statement_of = std::function<std::string(std::size_t)>;
    // Sessions first..last-1 run it, at the same time, and succeed.
    void run(std::size_t first, std::size_t last, const statement_of &sql);
    // They begin it, and are left waiting.
    void begin(std::size_t first, std::size_t last, const statement_of &sql);
    // Those who were waiting have been cancelled by now: reads how it ended, and ends every
    // transaction.
    void give_up();

  private:
    std::string conninfo_;
    std::vector<session> sessions_;
};

// So many connections at once need as many open files; throws when the system forbids it.
void allow_connections(std::size_t count);

} // namespace lockstep::bench
