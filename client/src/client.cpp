#include <lockstep/client.hpp>

#include "array_parameter.hpp"
#include "call_loop.hpp"
#include "core/sql_error.hpp"
#include "keyed_call.hpp"
#include "open_transaction.hpp"

#include <exception>
#include <map>
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
          loop_(sessions, options.retry, handling(options), options.mode, {}) {}

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

// What a result says of each item of its call.
struct told {
    booking &status;
    std::string &sqlstate;
};

template <class Result>
std::vector<told> told_by(Result &result) {
    return {{result.status, result.sqlstate}};
}

template <class Result>
requires requires(Result result) {
    result.items;
}
std::vector<told> told_by(Result &result) {
    std::vector<told> all;
    all.reserve(result.items.size());
    for (auto &item : result.items)
        all.push_back({item.status, item.sqlstate});
    return all;
}

// Why ids were refused when they were first tried, as the journal has it. None of them, or not all,
// where the caller may not read the journal.
std::map<request_id, std::string> first_refusals(session_pool &sessions, const parameter &ledger,
                                                 const std::vector<request_id> &ids,
                                                 time_point deadline) {
    std::map<request_id, std::string> found;
    try {
        const auto leased = sessions.acquire(deadline);
        const auto journal = leased->execute("SELECT journal::pg_catalog.text FROM lockstep.ledgers"
                                             " WHERE ledger = $1::pg_catalog.regclass",
                                             std::span(&ledger, 1), deadline);
        const auto which = array_of(ids);
        const auto kept = leased->execute("SELECT request_id, refusal FROM " +
                                              journal.data[0][0].as<std::string>() +
                                              " WHERE request_id = ANY ($1::pg_catalog.uuid[])",
                                          std::span(&which, 1), deadline);
        for (const auto &each : kept.data)
            found.emplace(each[0].as<request_id>(), each[1].as<std::string>());
    } catch (const error &) { // what is known stands without it
    } catch (const std::logic_error &) {
    }
    return found;
}

// What the journal says of an id that was sent before is told as the call's own first attempt was
// told, if anybody had heard it.
template <class Result>
void tell_as_at_first(Result &result, const keyed_call<Result> &call, session_pool &sessions,
                      time_point deadline) {
    const auto all = told_by(result);
    std::vector<request_id> refused_before;
    for (std::size_t i = 0; i < all.size(); ++i) {
        // Nobody else knows an id that was made here, so its replay is this call's own booking.
        if (call.ids.made[i] && all[i].status == booking::replayed)
            all[i].status = booking::applied;
        if (all[i].sqlstate == state::already_refused)
            refused_before.push_back(call.ids.all[i]);
    }
    if (refused_before.empty())
        return;
    auto first = first_refusals(sessions, call.parameters[0], refused_before, deadline);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].sqlstate == state::already_refused)
            // Once an id: where it comes twice, the second item was refused for the first one's.
            if (auto refusal = first.extract(call.ids.all[i]))
                all[i].sqlstate = std::move(refusal.mapped());
}

// A statement that commits by itself: body and commit in one round trip. Whatever is lost after it
// was sent is in doubt, and the ids answer that.
template <class Result>
Result run_alone(session_pool &sessions, const keyed_call<Result> &call,
                 const call_options &options) {
    call_loop loop(sessions, options.retry, doubt_handling::repeat, access_mode::read_write,
                   call.ids.all);
    rows answer;
    loop.run([&](session &on) {
        // A refusal that leaves no trace says nothing about an earlier attempt that is still on its
        // way: that one could find another balance, and book.
        if (!call.keeps_refusals && loop.has_lost()) {
            loop.now_in(phase::verify);
            if (loop.lost_is_there(on))
                return outcome::not_yet;
            loop.forget_lost();
        }
        loop.now_in(phase::begin);
        on.ready_for_call(options.level, loop.deadline());
        on.prepare(call.name, call.text, loop.deadline());
        loop.now_in(phase::commit);
        loop.count_attempt();
        on.watch_sending();
        try {
            answer =
                on.execute_prepared(call.name, call.parameters, loop.deadline(), call.form).data;
        } catch (const statement_error &failure) {
            if (on.was_sent())
                loop.commit_was_sent();
            // Had an earlier attempt been committed, its ids would have been replayed.
            if (!call.keeps_refusals && is_refusal(failure.sqlstate()))
                loop.settle();
            throw;
        }
        return outcome::done;
    });
    auto result = call.result(answer, call.ids);
    result.call = loop.facts();
    if (result.call.was_in_doubt)
        tell_as_at_first(result, call, sessions, loop.deadline());
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

submit_result client::submit(const submit_request &request, const retry_policy &retry) const {
    return detail::run_alone(*sessions_, detail::keyed(request),
                             {.level = isolation::read_committed, .retry = retry});
}

batch_result client::transfer_batch(const batch_request &request,
                                    std::span<const transfer_item> items,
                                    const call_options &options) const {
    if (items.empty())
        return {};
    return detail::run_alone(*sessions_, detail::keyed(request, items), options);
}

adjust_batch_result client::adjust_batch(const batch_request &request,
                                         std::span<const adjust_item> items,
                                         const call_options &options) const {
    if (items.empty())
        return {};
    return detail::run_alone(*sessions_, detail::keyed(request, items), options);
}

} // namespace lockstep
