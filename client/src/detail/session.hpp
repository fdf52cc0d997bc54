// One session with the server: statements with a deadline, answers with all the facts of a failure,
// and what the pool and the runner need to know about its state. One thread at a time.
#pragma once

#include <lockstep/error.hpp>
#include <lockstep/isolation.hpp>
#include <lockstep/parameter.hpp>
#include <lockstep/rows.hpp>

#include "answer_form.hpp"
#include "detail/connect.hpp"
#include "detail/deadline.hpp"
#include "detail/pqxx_link.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_result; // libpq's PGresult

namespace lockstep::detail {

// Where a session stands between two statements.
enum class session_state {
    idle,   // no transaction
    open,   // inside one
    failed, // inside one that an error has aborted
    lost,   // the session is of no more use
};

struct answer {
    rows data;
    std::string tag; // the server's word for what it did: COMMIT, ROLLBACK, UPDATE 1, ...
};

class session {
  public:
    using settings = std::vector<std::pair<std::string, std::string>>;
    using notice_sink = std::function<void(std::string_view)>;

    // Sets the session up in one round trip: the settings given, and a check by the server for a
    // client that has gone. Throws statement_error in phase connect.
    session(raw_connection connection, const settings &wanted, notice_sink on_notice,
            time_point deadline);
    ~session();
    session(const session &) = delete;
    session &operator=(const session &) = delete;

    // All of these throw statement_error, with phase body. Past the deadline the session is lost:
    // its statement may still be running, and nobody waits for it any more.
    //
    // A text without parameters; of several statements the last one's answer.
    answer simple(const std::string &text, time_point deadline);
    // One statement with parameters.
    answer execute(const std::string &text, std::span<const parameter> parameters,
                   time_point deadline);
    // Prepares a statement unless this session has it already.
    void prepare(const char *name, const char *text, time_point deadline);
    answer execute_prepared(const char *name, std::span<const parameter> parameters,
                            time_point deadline, answer_form form = answer_form::text);

    // BEGIN with level and access, and no statement longer than the deadline allows. One round
    // trip.
    void begin(isolation level, access_mode mode, time_point deadline);
    // Makes the next single statement run at this level and end before the deadline. No round trip
    // when the session is set so already, as it is for calls that follow one another. Sessions that
    // have the same time left are set alike: the server puts calls together by that.
    void ready_for_call(isolation level, time_point deadline);

    [[nodiscard]] session_state state() const noexcept;
    // False when something can no longer be sent or received; state() is lost then.
    [[nodiscard]] bool is_open() const noexcept { return state() != session_state::lost; }

    // Looks at the session between two statements, without a round trip: reads what came unasked,
    // such as the server's word that it has ended the session. False when it is of no more use;
    // farewell() is then the SQLSTATE that the server gave, if it gave one.
    [[nodiscard]] bool alive_now();
    [[nodiscard]] const std::string &farewell() const noexcept { return farewell_; }

    // Makes the pool close it when it comes back.
    void discard() noexcept { lost_ = true; }

    // Whether the server says that this session cannot write.
    [[nodiscard]] bool is_read_only() const;

    // Whether anything was sent since the last call of watch_sending: in hindsight, whether a
    // failure can have left something behind.
    void watch_sending() noexcept { sent_ = false; }
    [[nodiscard]] bool was_sent() const noexcept { return sent_; }
    // Whether the last failure was our own deadline: here, or the server's statement_timeout that
    // begin or ready_for_call had set.
    [[nodiscard]] bool ran_out_of_time() const noexcept { return ran_out_of_time_; }
    // Whether the last failure was a plan that no longer fits: a new session heals that.
    [[nodiscard]] bool plan_was_stale() const noexcept { return plan_was_stale_; }

    // What a failure of the callback's own libpqxx code was, from the handle below: libpqxx does
    // not tell the codes of all. Nothing for an exception of another kind.
    [[nodiscard]] std::optional<statement_error> failure_of(const std::exception_ptr &thrown);

    [[nodiscard]] pqxx::transaction_base &native() { return link_->transaction(); }
    void end_native() noexcept { link_->end_transaction(); }

    // Of the server's process; still known when the session is lost.
    [[nodiscard]] int backend_pid() const noexcept { return backend_pid_; }
    [[nodiscard]] const std::string &backend_start() const noexcept { return backend_start_; }

  private:
    using result = std::unique_ptr<pg_result, void (*)(pg_result *)>;

    static void take_notice(void *self, const pg_result *notice) noexcept;

    void set_up(const settings &wanted, time_point deadline);
    void wait_for(short events, time_point deadline);
    // begun: before it was sent, for the server may be quicker to take the time than we are.
    answer collect(bool accepted, time_point begun, time_point deadline);
    [[noreturn]] void fail(const pg_result *report, time_point begun);
    void give_up_on_it() noexcept;
    [[nodiscard]] std::int64_t limit_for(time_point deadline) const;
    [[nodiscard]] bool limit_has_struck(std::string_view sqlstate, time_point since) const;
    void expect_primary() const;

    pg_conn *raw_; // link_'s, borrowed
    std::unique_ptr<pqxx_link> link_;
    notice_sink on_notice_;
    std::set<std::string, std::less<>> prepared_;
    int backend_pid_ = 0;
    std::string backend_start_;
    std::string farewell_;

    // statement_timeout in milliseconds, 0 for none: as the server had it before us; as the session
    // has it; as the statement at hand has it.
    std::int64_t server_limit_ms_ = 0;
    std::int64_t session_limit_ms_ = 0;
    std::int64_t limit_ms_ = 0;
    time_point limited_since_{};
    std::string session_level_; // default_transaction_isolation

    bool lost_ = false;
    bool sent_ = false;
    bool ran_out_of_time_ = false;
    bool plan_was_stale_ = false;
};

} // namespace lockstep::detail
