// What a transaction of the public face stands on while its callback runs.
#pragma once

#include "detail/session.hpp"

#include <lockstep/transaction.hpp>

#include <functional>
#include <vector>

namespace lockstep::detail {

using hooks = std::vector<std::function<void()>>;

class open_transaction {
  public:
    open_transaction(session &on, time_point deadline, int attempt, hooks &after_commit) noexcept
        : on_(on), deadline_(deadline), attempt_(attempt), after_commit_(after_commit) {}

    // Runs a callback on it, marks the thread meanwhile, and tells failures of the callback's own
    // libpqxx code as statement_error. Other exceptions pass through unchanged.
    void run(const std::function<void(transaction &)> &callback);

    [[nodiscard]] static open_transaction &of(const transaction &tx) noexcept { return *tx.state_; }

    [[nodiscard]] session &on() const noexcept { return on_; }
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    [[nodiscard]] int attempt() const noexcept { return attempt_; }
    void after_commit(std::function<void()> hook) { after_commit_.push_back(std::move(hook)); }

  private:
    session &on_;
    time_point deadline_;
    int attempt_;
    hooks &after_commit_;
};

} // namespace lockstep::detail
