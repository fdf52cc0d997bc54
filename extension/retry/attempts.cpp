#include "retry/attempts.hpp"

#include "core/backoff.hpp"
#include "core/retry_rules.hpp"
#include "pg/backoff_settings.hpp"
#include "pg/caught.hpp"
#include "pg/spi.hpp"
#include "retry/deadline.hpp"
#include "retry/pause.hpp"
#include "retry/statistics.h"

#include <algorithm>
#include <map>

namespace lockstep {

namespace {

using std::chrono::microseconds;

const char *in_progress = nullptr;

class retry_run {
  public:
    retry_run(const retry_terms &terms, retried_work &work)
        : terms_(terms), work_(work), outside_(CurrentMemoryContext), deadline_(terms.deadline) {}

    retry_outcome run() {
        while (!attempt()) {
            wait();
            lockstep_count_retry(failed_with_, wait_.count());
        }
        return {attempts_, last_error_};
    }

  private:
    bool attempt() {
        ++attempts_;
        began_ = GetCurrentTimestamp();
        try {
            run_once();
            return true;
        } catch (const pg_error &) {
            // The server's error is on its own stack; what to do is decided out of this handler.
        }
        MemoryContextSwitchTo(outside_);
        const caught_error failed = look_at_error();
        decide(failed);
        failed_with_ = failed.code;
        last_error_ = std::string{failed.sqlstate} + ": " + failed.message;
        forget_error();
        abandon_transaction();
        work_.undone();
        return false;
    }

    // A pause may end late, and the deadline come first.
    void wait() {
        try {
            pause(wait_);
            return;
        } catch (const pg_error &) {
        }
        answer_deadline(look_at_error(), "It came after attempt " + std::to_string(attempts_) +
                                             ", which failed with " + last_error_.value_or("") +
                                             ".");
        throw pg_error{};
    }

    void run_once() {
        const std::string what = std::string{"attempt of "} + terms_.procedure;
        const error_context context(what.c_str(), static_cast<std::size_t>(attempts_));
        begin_transaction(terms_.mode, attempts_);
        kept_settings settings;
        spi_session session;
        work_.attempt(attempts_);
        settings.restore();
        session.finish();
        // Struck during the commit, its cancel could not be told from one that is to stop the rest.
        if (terms_.goes_on)
            deadline_.end();
        // A handler of the statement's own may have swallowed it.
        if (deadline_.has_struck())
            refuse_late("It came in attempt " + std::to_string(attempts_) + ".");
        commit_transaction();
        // It is done: whoever wants to stop it now is too late, and must not hear that he did.
        if (!terms_.goes_on) {
            deadline_.end();
            forget_cancel();
        }
        work_.committed();
    }

    // A cancel that is the deadline's says so.
    void answer_deadline(const caught_error &failed, const std::string &when) const {
        if (!deadline_.has_struck() || std::string_view{failed.sqlstate} != state::query_canceled)
            return;
        forget_error();
        refuse_late(when);
    }

    [[noreturn]] void refuse_late(const std::string &when) const {
        lockstep_count_given_up();
        throw sql_error(
            state::query_canceled,
            std::string{"canceling statement due to the deadline of "} + terms_.procedure, when);
    }

    // Sets the pause before the next attempt; throws where there is none.
    void decide(const caught_error &failed) {
        answer_deadline(
            failed, "It came in attempt " + std::to_string(attempts_) + "." +
                        (last_error_ ? " The one before failed with " + *last_error_ + "." : ""));
        const retry_judgement judged = judge_failure({failed.sqlstate, true, false});
        const int times = ++failures_[failed.sqlstate];
        if (judged.verdict != retry_verdict::same_session ||
            (judged.at_most > 0 && times > judged.at_most))
            throw pg_error{};
        // Where a row may not be waited for within the attempt, it is waited for between attempts,
        // with nothing held: these do not count, as long as there are pauses, and a deadline to end
        // them.
        const bool out_of_order = std::string_view{failed.sqlstate} == state::lock_order;
        if (out_of_order && deadline_.left() && conflict_range().base.count() > 0)
            ++uncounted_;
        if (attempts_ - uncounted_ >= terms_.max_attempts)
            give_up("no attempts are left");
        const backoff_range range = std::string_view{failed.sqlstate} == deadlock_detected
                                        ? range_after_deadlock(failed, times)
                                        : range_after(failed, judged.backoff);
        wait_ =
            jittered(range, judged.backoff == backoff_kind::conflict && !out_of_order ? doublings()
                                                                                      : times - 1);
        if (!deadline_.leaves(wait_))
            give_up("the deadline is before the next attempt");
    }

    // How often the limit doubles after a conflict: not at first, for the queue is known, and one
    // who has failed often should not have to stand behind those who have just come; but when the
    // attempts run short, the rest of them are spread.
    [[nodiscard]] int doublings() const {
        return std::max(attempts_ - uncounted_ - terms_.max_attempts / 2, 0);
    }

    [[noreturn]] void give_up(const char *why) const {
        lockstep_count_given_up();
        throw_on(std::string{terms_.procedure} + " gives up: " + why);
    }

    [[nodiscard]] backoff_range range_after(const caught_error &failed, backoff_kind kind) const {
        if (kind != backoff_kind::conflict)
            return capacity_backoff;
        backoff_range range = conflict_range();
        if (range.base.count() == 0)
            return range;
        // Errors of ours have looked at the row that they are about. Otherwise whoever waits now is
        // taken for the queue, and our own attempt for how long a turn lasts.
        if (const auto suggested = suggested_wait(failed.detail)) {
            range.base = *suggested;
        } else {
            range.base = std::min(range.base, length());
            range = behind(range, rivals());
        }
        return range;
    }

    // Called before the rollback: the others in the deadlock still wait for us, and count among the
    // rivals.
    [[nodiscard]] backoff_range range_after_deadlock(const caught_error &failed, int times) const {
        const int others = std::max(rivals(), others_in_deadlock(failed.detail));
        const backoff_range range =
            after_deadlock(conflict_range(), {length(), deadlock_timeout(), others, times});
        const auto left = deadline_.left();
        return left ? leaving_time(range, *left, length()) : range;
    }

    // Of the attempt, until now.
    [[nodiscard]] microseconds length() const {
        return microseconds{std::max<TimestampTz>(GetCurrentTimestamp() - began_, 1)};
    }

    const retry_terms &terms_;
    retried_work &work_;
    MemoryContext outside_;
    deadline_timer deadline_;
    int attempts_ = 0;
    int uncounted_ = 0;     // of these
    TimestampTz began_ = 0; // the attempt
    int failed_with_ = 0;   // the last attempt: its state, packed
    microseconds wait_{};
    std::map<std::string, int, std::less<>> failures_; // by state
    std::optional<std::string> last_error_;
};

} // namespace

retrying_call::retrying_call(const char *procedure) noexcept {
    in_progress = procedure;
    lockstep_in_retry_call(true);
}

retrying_call::~retrying_call() {
    lockstep_in_retry_call(false);
    in_progress = nullptr;
}

const char *retrying_call::current() noexcept {
    return in_progress;
}

retry_outcome run_with_retries(const retry_terms &terms, retried_work &work) {
    return retry_run(terms, work).run();
}

} // namespace lockstep
