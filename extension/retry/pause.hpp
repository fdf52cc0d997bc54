// The pause between two attempts, and whom it gives way to.
#pragma once

#include "core/backoff.hpp"

namespace lockstep {

// Sessions of this database that wait for a row now, or pause as we do. Where an error does not say
// which row it is about, they are taken for the queue. Reads shared memory without a lock.
[[nodiscard]] int rivals();

// What a session waits before it looks for a deadlock, as it is set.
[[nodiscard]] std::chrono::microseconds deadlock_timeout() noexcept;

// A random pause out of the range; nth counts from 0.
[[nodiscard]] std::chrono::microseconds jittered(backoff_range range, int nth) noexcept;

// Sleeps, outside of any transaction. A cancel, a timeout or the end of the server end it at once.
void pause(std::chrono::microseconds length);

} // namespace lockstep
