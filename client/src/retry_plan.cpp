#include "retry_plan.hpp"

#include "core/sql_error.hpp"

#include <algorithm>

namespace lockstep::detail {

using std::chrono::microseconds;

retry_judgement retry_plan::judge(const failure &failed) const noexcept {
    const std::string &code = failed.facts.sqlstate;
    auto found = judge_failure({code, failed.session_open, failed.commit_sent});
    if (found.verdict == retry_verdict::in_doubt && doubt_ == doubt_handling::harmless)
        found.verdict = retry_verdict::new_session;
    if (found.verdict == retry_verdict::elsewhere && mode_ == access_mode::read_only)
        return {retry_verdict::never, backoff_kind::none, 0, found.note};
    if (failed.plan_was_stale && found.verdict == retry_verdict::never)
        return {retry_verdict::new_session, backoff_kind::none, 1,
                "the prepared plan no longer fits"};
    if (code == "55P03" && policy_.retry_lock_timeout && found.verdict == retry_verdict::never)
        return {retry_verdict::same_session, backoff_kind::conflict, 0, found.note};
    return found;
}

retry_plan::decision retry_plan::after(const failure &failed, int attempts, microseconds elapsed,
                                       std::uint64_t random_bits) {
    const auto found = judge(failed);
    if (found.verdict == retry_verdict::in_doubt && doubt_ == doubt_handling::raise)
        return {step::in_doubt, found.verdict, {}};
    if (failed.ran_out_of_time)
        return {step::out_of_time, found.verdict, {}};
    if (found.verdict == retry_verdict::never)
        return {step::reject, found.verdict, {}};
    const int times = ++by_sqlstate_[failed.facts.sqlstate];
    if (found.at_most > 0 && times > found.at_most)
        return {step::reject, found.verdict, {}};
    if (attempts >= policy_.max_attempts)
        return {step::out_of_attempts, found.verdict, {}};
    if (failed.facts.sqlstate == deadlock_detected)
        return within_deadline(
            found.verdict,
            wait_after_deadlock(failed, times, policy_.deadline - elapsed, random_bits), elapsed);
    const auto suggested = suggested_wait(failed.facts.detail);
    return within_deadline(
        found.verdict,
        next_wait(found.backoff, suggested.value_or(std::chrono::milliseconds{}), random_bits),
        elapsed);
}

retry_plan::decision retry_plan::not_yet(microseconds elapsed, std::uint64_t random_bits) {
    return within_deadline(retry_verdict::in_doubt,
                           next_wait(backoff_kind::conflict, {}, random_bits), elapsed);
}

microseconds retry_plan::next_wait(backoff_kind kind, microseconds suggested,
                                   std::uint64_t random_bits) {
    const int nth = waits_[static_cast<std::size_t>(kind)]++;
    switch (kind) {
    case backoff_kind::none: return microseconds::zero();
    case backoff_kind::conflict: {
        backoff_range range = policy_.conflict;
        if (range.base > microseconds::zero())
            range.base = std::max(range.base, suggested);
        return full_jitter(range, nth, random_bits);
    }
    case backoff_kind::reconnect: return full_jitter(policy_.reconnect, nth, random_bits);
    case backoff_kind::capacity: return full_jitter(policy_.capacity, nth, random_bits);
    }
    return microseconds::zero();
}

microseconds retry_plan::wait_after_deadlock(const failure &failed, int nth, microseconds left,
                                             std::uint64_t random_bits) {
    const int conflicts = waits_[static_cast<std::size_t>(backoff_kind::conflict)]++;
    auto range = after_deadlock(policy_.conflict, {failed.length, usual_deadlock_timeout,
                                                   others_in_deadlock(failed.facts.detail), nth});
    range.base = std::max(range.base, backoff_limit(policy_.conflict, conflicts));
    return full_jitter(leaving_time(range, left, failed.length), 0, random_bits);
}

// Stops now rather than sleep to the end and fail then.
retry_plan::decision retry_plan::within_deadline(retry_verdict verdict, microseconds wait,
                                                 microseconds elapsed) const noexcept {
    const microseconds deadline = policy_.deadline;
    if (elapsed >= deadline || wait >= deadline - elapsed)
        return {step::out_of_time, verdict, {}};
    return {step::again, verdict, wait};
}

} // namespace lockstep::detail
