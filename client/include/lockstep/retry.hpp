// How long and how often a call tries again. Which failures are tried again at all is not a
// setting: it is the table of verdicts by SQLSTATE (lockstep/core/retry_rules.hpp), the same one
// that the server's extension uses.
#pragma once

#include <lockstep/core/backoff.hpp>
#include <lockstep/core/retry_rules.hpp>
#include <lockstep/error.hpp>

#include <chrono>
#include <functional>
#include <string_view>

namespace lockstep {

// One decision to try again, told before the wait. The views live as long as the call of the hook.
struct retry_event {
    lockstep::phase where;
    std::string_view sqlstate; // empty: the link was lost without a code
    std::string_view message;
    retry_verdict verdict;
    int attempts;                      // bodies begun so far
    std::chrono::microseconds wait;    // the pause that follows
    std::chrono::microseconds elapsed; // since the call began; elapsed + wait is below the deadline
};

struct retry_policy {
    // For the whole call: waiting for a session, connecting, statements, pauses, finding out a lost
    // commit. No pause goes beyond it, no statement is waited for beyond it, and the server is told
    // through statement_timeout to stop before it.
    std::chrono::milliseconds deadline{5000};

    // A stop for the case that nothing else stops it: under heavy contention a healthy SERIALIZABLE
    // transaction can need dozens.
    int max_attempts = 100;

    // After a conflict the wait that the server suggests takes the place of a shorter first limit.
    // After a deadlock the limit follows the length of the attempt, and may pass the cap: up to
    // eight attempts.
    backoff_range conflict = conflict_backoff;
    backoff_range reconnect = reconnect_backoff;
    backoff_range capacity = capacity_backoff;

    // 55P03 is somebody's wish not to wait (lock_timeout, NOWAIT), so it is not tried again unless
    // the caller says that the wish was for one attempt.
    bool retry_lock_timeout = false;

    // Called in the calling thread, with no session held. An exception from it ends the call and
    // passes through, so it should not throw.
    std::function<void(const retry_event &)> on_retry = {};
};

} // namespace lockstep
