#include "retry/deadline.hpp"

#include "pg/boundary.hpp"

#include <csignal>

namespace lockstep {

namespace {

volatile std::sig_atomic_t struck = 0;
TimeoutId timer = MAX_TIMEOUTS; // until the first one

inline namespace guarded {

// In a signal handler.
void strike() {
    struck = 1;
    QueryCancelPending = true;
    InterruptPending = true;
    SetLatch(MyLatch);
}

} // namespace guarded
} // namespace

deadline_timer::deadline_timer(std::optional<std::chrono::microseconds> length) {
    struck = 0;
    if (!length)
        return;
    at_ = GetCurrentTimestamp() + length->count();
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*length).count();
    // The server's timers count 24 days at most.
    if (milliseconds > INT_MAX)
        return;
    const int from_now = static_cast<int>(milliseconds);
    pg_call([from_now] {
        if (timer == MAX_TIMEOUTS)
            timer = RegisterTimeout(USER_TIMEOUT, strike);
        enable_timeout_after(timer, from_now);
    });
    running_ = true;
}

bool deadline_timer::has_struck() const noexcept {
    return struck != 0;
}

bool deadline_timer::leaves(std::chrono::microseconds pause) const {
    const auto rest = left();
    return !rest || pause < *rest;
}

std::optional<std::chrono::microseconds> deadline_timer::left() const {
    if (!at_)
        return std::nullopt;
    return std::chrono::microseconds{*at_ - GetCurrentTimestamp()};
}

void deadline_timer::end() noexcept {
    if (running_)
        disable_timeout(timer, false);
    running_ = false;
}

void forget_cancel() noexcept {
    if (get_timeout_active(STATEMENT_TIMEOUT))
        disable_timeout(STATEMENT_TIMEOUT, false);
    QueryCancelPending = false;
}

} // namespace lockstep
