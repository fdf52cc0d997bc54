#include <lockstep/client.hpp>

#include "call_loop.hpp"
#include "keyed_call.hpp"
#include "open_transaction.hpp"

#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep {

namespace detail {

namespace {

using outcome = call_loop::outcome;

class transaction_run {
  public:
    transaction_run(session_pool &sessions, const run_options &options,
                    const std::function<void(transaction &)> &body)
        : options_(options), body_(body),
          loop_(sessions, options.retry, handling(options), options.mode, std::nullopt) {}

    void run() {
        loop_.run([this](session &on) { return attempt(on); });
        run_hooks();
    }

  private:
    static doubt_handling handling(const run_options &options) {
        if (options.mode == access_mode::read_only)
            return doubt_handling::harmless;
        return options.idempotent || options.verify ? doubt_handling::repeat
                                                    : doubt_handling::raise;
    }

    outcome attempt(session &on) {
        if (loop_.has_lost()) {
            loop_.now_in(phase::verify);
            if (loop_.lost_is_there(on))
                return outcome::not_yet;
            if (options_.verify) {
                if (verified(on))
                    return outcome::done;
                loop_.settle();
            }
            loop_.forget_lost();
        }
        loop_.now_in(phase::begin);
        on.begin(options_.level, options_.mode, loop_.deadline());
        loop_.now_in(phase::body);
        hooks_.clear();
        open_transaction open(on, loop_.deadline(), loop_.count_attempt(), hooks_);
        open.run(body_);
        expect_committable(on);
        commit(on);
        return outcome::done;
    }

    void expect_committable(session &on) {
        switch (on.state()) {
        case session_state::open: break;
        case session_state::failed:
            refuse("the callback swallowed an error; the server would answer its commit with a "
                   "rollback");
        case session_state::lost: refuse("the callback swallowed the loss of its session");
        case session_state::idle: refuse("the callback ended the transaction itself");
        }
        // Whoever was ended before COMMIT was sent has surely committed nothing.
        if (!on.alive_now()) {
            error_facts facts;
            facts.sqlstate = on.farewell();
            throw statement_error("the session was ended before the commit", std::move(facts));
        }
        if (left_until(loop_.deadline()) == std::chrono::microseconds::zero()) {
            loop_.ran_out_of_time();
            throw statement_error("no time is left for the commit", {});
        }
    }

    void commit(session &on) {
        loop_.now_in(phase::commit);
        on.watch_sending();
        std::string tag;
        try {
            tag = on.simple("COMMIT", loop_.deadline()).tag;
        } catch (const statement_error &) {
            if (on.was_sent() && options_.mode == access_mode::read_write)
                loop_.commit_was_sent();
            throw;
        }
        if (tag != "COMMIT")
            refuse("the server answered the commit with a rollback");
    }

    [[noreturn]] void refuse(const std::string &why) {
        auto facts = loop_.error_facts_now("25P02");
        if (loop_.is_doubted())
            loop_.raise_in_doubt(why, std::move(facts));
        throw poisoned_transaction(why, std::move(facts));
    }

    bool verified(session &on) {
        on.begin(isolation::read_committed, access_mode::read_only, loop_.deadline());
        std::optional<bool> committed;
        hooks unused;
        open_transaction open(on, loop_.deadline(), 1, unused);
        open.run([&](transaction &tx) { committed = options_.verify(tx); });
        on.simple("ROLLBACK", loop_.deadline());
        if (!committed)
            loop_.raise_in_doubt("the check cannot tell", loop_.error_facts_now());
        return *committed;
    }

    // Each one, whatever the others throw: the commit has happened for all.
    void run_hooks() {
        std::exception_ptr first;
        for (const auto &hook : hooks_) {
            try {
                hook();
            } catch (...) {
                if (first == nullptr)
                    first = std::current_exception();
            }
        }
        if (first != nullptr)
            std::rethrow_exception(first);
    }

    const run_options &options_;
    const std::function<void(transaction &)> &body_;
    call_loop loop_;
    hooks hooks_;
};

// Why an id was refused when it was first tried, as the journal has it; LS012, which only says that
// it was, where the caller may not read the journal.
std::string first_refusal(session_pool &sessions, const parameter &ledger, const request_id &id,
                          time_point deadline) {
    try {
        const auto leased = sessions.acquire(deadline);
        const auto journal = leased->execute("SELECT journal::pg_catalog.text FROM lockstep.ledgers"
                                             " WHERE ledger = $1::pg_catalog.regclass",
                                             std::span(&ledger, 1), deadline);
        const parameter which = id;
        const auto found =
            leased->execute("SELECT refusal FROM " + journal.data[0][0].as<std::string>() +
                                " WHERE request_id = $1",
                            std::span(&which, 1), deadline);
        return found.data[0][0].as<std::string>();
    } catch (const error &) { // the answer stands without it
    } catch (const std::logic_error &) {
    }
    return "LS012";
}

// A statement that commits by itself: body and commit in one round trip. Whatever is lost after it
// was sent is in doubt, and the id answers that.
template <class Result>
Result run_alone(session_pool &sessions, const keyed_call<Result> &call,
                 const call_options &options) {
    call_loop loop(sessions, options.retry, doubt_handling::repeat, access_mode::read_write,
                   call.id);
    rows answer;
    loop.run([&](session &on) {
        loop.now_in(phase::begin);
        on.ready_for_call(options.level, loop.deadline());
        on.prepare(call.name, call.text, loop.deadline());
        loop.now_in(phase::commit);
        loop.count_attempt();
        on.watch_sending();
        try {
            answer = on.execute_prepared(call.name, call.parameters, loop.deadline()).data;
        } catch (const statement_error &) {
            if (on.was_sent())
                loop.commit_was_sent();
            throw;
        }
        return outcome::done;
    });
    auto result = call.result(answer);
    result.call = loop.facts();
    if (!result.call.was_in_doubt)
        return result;
    // Nobody else knows an id that was made here, so its replay is this call's own booking.
    if (call.made_id && result.status == booking::replayed)
        result.status = booking::applied;
    if (result.sqlstate == "LS012")
        result.sqlstate = first_refusal(sessions, call.parameters[0], call.id, loop.deadline());
    return result;
}

} // namespace
} // namespace detail

client::client(pool &sessions) noexcept : sessions_(&detail::sessions_of(sessions)) {}

void client::run_transaction(const run_options &options,
                             const std::function<void(transaction &)> &body) const {
    detail::transaction_run(*sessions_, options, body).run();
}

transfer_result client::transfer(const transfer_request &request,
                                 const call_options &options) const {
    return detail::run_alone(*sessions_, detail::keyed(request), options);
}

adjust_result client::adjust(const adjust_request &request, const call_options &options) const {
    return detail::run_alone(*sessions_, detail::keyed(request), options);
}

} // namespace lockstep
