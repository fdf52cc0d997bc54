// The end of the time that a caller gives: it cancels what runs then, as statement_timeout does.
#pragma once

#include "pg/pg.hpp"

#include <chrono>
#include <optional>

namespace lockstep {

class deadline_timer {
  public:
    // From now on; nothing never strikes.
    explicit deadline_timer(std::optional<std::chrono::microseconds> length);
    ~deadline_timer() { end(); }
    deadline_timer(const deadline_timer &) = delete;
    deadline_timer &operator=(const deadline_timer &) = delete;

    [[nodiscard]] bool has_struck() const noexcept;
    // Whether there is time left after such a pause.
    [[nodiscard]] bool leaves(std::chrono::microseconds pause) const;
    // Until it strikes; nothing where it never does.
    [[nodiscard]] std::optional<std::chrono::microseconds> left() const;
    void end() noexcept;

  private:
    std::optional<TimestampTz> at_;
    bool running_ = false;
};

// Drops a cancel, a statement_timeout among them, that has come and was not answered yet.
void forget_cancel() noexcept;

} // namespace lockstep
