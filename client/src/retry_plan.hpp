// Decides after each failure of one call: again, and after which pause, or not. Plain arithmetic on
// what it is told: no clock, no server, no random source of its own.
#pragma once

#include <lockstep/core/retry_rules.hpp>
#include <lockstep/isolation.hpp>
#include <lockstep/retry.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace lockstep::detail {

// One failure, with all that the decision depends on.
struct failure {
    std::string message;
    error_facts facts;
    bool session_open = false;          // the session could still be used
    bool commit_sent = false;           // something that may have committed was sent
    bool ran_out_of_time = false;       // our own deadline struck, here or in the server
    bool plan_was_stale = false;        // a prepared plan no longer fits
    std::chrono::microseconds length{}; // of the attempt, once it had a session
};

// How a call takes a commit whose answer was lost.
enum class doubt_handling {
    raise,    // tell the caller, repeat nothing
    repeat,   // find out by repeating
    harmless, // nothing was written, so nothing is in doubt
};

class retry_plan {
  public:
    enum class step { again, reject, out_of_time, out_of_attempts, in_doubt };

    struct decision {
        step next;
        retry_verdict verdict;
        std::chrono::microseconds wait; // for again
    };

    retry_plan(const retry_policy &policy, doubt_handling doubt, access_mode mode) noexcept
        : policy_(policy), doubt_(doubt), mode_(mode) {}

    // What the table says of a failure, with the caller's wishes taken in.
    [[nodiscard]] retry_judgement judge(const failure &failed) const noexcept;

    // attempts: bodies begun so far. elapsed: since the call began. again is only said when elapsed
    // plus the wait is below the deadline.
    [[nodiscard]] decision after(const failure &failed, int attempts,
                                 std::chrono::microseconds elapsed, std::uint64_t random_bits);

    // The same for a wait that no failure caused: an earlier session is still at work.
    [[nodiscard]] decision not_yet(std::chrono::microseconds elapsed, std::uint64_t random_bits);

  private:
    // suggested: by the server, for a conflict; zero where it says nothing.
    [[nodiscard]] std::chrono::microseconds
    next_wait(backoff_kind kind, std::chrono::microseconds suggested, std::uint64_t random_bits);
    // As the server's own retries wait. nth counts these deadlocks from 1, left is the time to the
    // deadline. Not less than after another conflict.
    [[nodiscard]] std::chrono::microseconds wait_after_deadlock(const failure &failed, int nth,
                                                                std::chrono::microseconds left,
                                                                std::uint64_t random_bits);
    [[nodiscard]] decision within_deadline(retry_verdict verdict, std::chrono::microseconds wait,
                                           std::chrono::microseconds elapsed) const noexcept;

    const retry_policy &policy_;
    doubt_handling doubt_;
    access_mode mode_;
    std::array<int, 4> waits_{};                          // so far, by kind
    std::map<std::string, int, std::less<>> by_sqlstate_; // retries so far
};

} // namespace lockstep::detail
