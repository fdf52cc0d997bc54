// One call, from its first attempt to its answer: the loop that all kinds of calls share. It leases
// a session for each attempt, judges what failed while the session still knows, gives the session
// back, and only then waits. It remembers the session whose commit was lost.
#pragma once

#include "detail/deadline.hpp"
#include "detail/session_pool.hpp"
#include "retry_plan.hpp"

#include <lockstep/error.hpp>
#include <lockstep/ledger.hpp>
#include <lockstep/request_id.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::detail {

// Whether a state is a business answer: the same again gives the same until things have changed.
[[nodiscard]] bool is_refusal(std::string_view sqlstate) noexcept;

// Marks the thread while a callback runs in it, and refuses calls from there: they would use a
// second session, commit on their own, and wait for a pool that their own caller may have emptied.
class callback_scope {
  public:
    callback_scope() noexcept;
    ~callback_scope();
    callback_scope(const callback_scope &) = delete;
    callback_scope &operator=(const callback_scope &) = delete;

    static void refuse_inside(); // throws nested_run
};

class call_loop {
  public:
    // ids: of a keyed call, for the exception that says in doubt. Throws nested_run, and
    // std::invalid_argument for a policy that cannot be meant.
    call_loop(session_pool &sessions, const retry_policy &policy, doubt_handling doubt,
              access_mode mode, std::vector<request_id> ids);

    enum class outcome { done, not_yet };

    // Runs one attempt after the other on a leased session, until one is done. The attempt moves
    // where() along, and reports failures by statement_error; other exceptions pass through.
    void run(const std::function<outcome(session &)> &attempt);

    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    void now_in(phase where) noexcept { current_.facts.where = where; }
    int count_attempt() noexcept { return ++attempts_; }
    void commit_was_sent() noexcept { current_.commit_sent = true; }
    void ran_out_of_time() noexcept { current_.ran_out_of_time = true; }

    // Whether the answer of a commit was lost since forget_lost. Until its session has ended it may
    // still commit, and whoever looks sees nothing of it.
    [[nodiscard]] bool has_lost() const noexcept { return lost_.has_value(); }
    // Asks the server whether that session is still there. One that only waits for us to say more
    // never will hear it, so it is ended.
    [[nodiscard]] bool lost_is_there(session &on) const;
    void forget_lost() noexcept { lost_.reset(); }

    // An earlier commit is no longer in doubt: it did not happen.
    void settle() noexcept { doubted_ = false; }
    [[nodiscard]] bool is_doubted() const noexcept { return doubted_; }

    [[nodiscard]] call_facts facts() const;
    // For exceptions: what is known now, with this code.
    [[nodiscard]] error_facts error_facts_now(std::string sqlstate = {}) const;
    [[noreturn]] void raise_in_doubt(const std::string &cause, error_facts facts) const;

  private:
    // The server's process behind a session.
    struct process {
        int pid;
        std::string started; // empty: not known
    };

    void attempt_once(const std::function<outcome(session &)> &attempt, outcome &done);
    void note(const session &at, const statement_error &thrown);
    void proceed(const retry_plan::decision &decided, std::chrono::microseconds elapsed_then);
    [[noreturn]] void finish(const retry_plan::decision &decided);
    [[nodiscard]] std::chrono::microseconds elapsed() const;

    session_pool &sessions_;
    const retry_policy &policy_;
    retry_plan plan_;
    std::vector<request_id> ids_;
    time_point begun_;
    time_point attempt_begun_; // once it had a session
    time_point deadline_;

    failure current_;
    std::string last_code_; // the latest failure that had one
    std::optional<process> lost_;
    int attempts_ = 0;
    bool doubted_ = false;
    bool ever_doubted_ = false;
};

} // namespace lockstep::detail
