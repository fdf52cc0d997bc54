#include "call_loop.hpp"

#include "core/sql_error.hpp"
#include "detail/random.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace lockstep::detail {
namespace {

thread_local int callbacks_running = 0;

// Whether the session itself is of no more use, though it may be open.
bool is_spent(retry_verdict verdict, const std::string &sqlstate) {
    return verdict == retry_verdict::new_session || verdict == retry_verdict::elsewhere ||
           verdict == retry_verdict::in_doubt || sqlstate == "08P01" || sqlstate.starts_with("XX");
}

} // namespace

bool is_refusal(std::string_view sqlstate) noexcept {
    constexpr std::array refusals{state::insufficient_funds, state::above_ceiling,
                                  state::row_not_found,      state::row_frozen,
                                  state::already_refused,    state::version_changed,
                                  state::rows_do_not_match};
    return std::find(refusals.begin(), refusals.end(), sqlstate) != refusals.end();
}

callback_scope::callback_scope() noexcept {
    ++callbacks_running;
}

callback_scope::~callback_scope() {
    --callbacks_running;
}

void callback_scope::refuse_inside() {
    if (callbacks_running > 0)
        throw nested_run("a call inside another call's callback; use the callback's transaction",
                         {});
}

call_loop::call_loop(session_pool &sessions, const retry_policy &policy, doubt_handling doubt,
                     access_mode mode, std::vector<request_id> ids)
    : sessions_(sessions), policy_(policy), plan_(policy, doubt, mode), ids_(std::move(ids)),
      begun_(clock::now()), deadline_(after(policy.deadline)) {
    callback_scope::refuse_inside();
    if (policy.deadline <= std::chrono::milliseconds::zero() || policy.max_attempts < 1)
        throw std::invalid_argument("a call needs a deadline and at least one attempt");
}

void call_loop::run(const std::function<outcome(session &)> &attempt) {
    for (;;) {
        current_ = {};
        current_.facts.where = phase::connect;
        try {
            auto done = outcome::not_yet;
            attempt_once(attempt, done);
            if (done == outcome::done)
                return;
        } catch (const statement_error &thrown) {
            current_.message = thrown.what();
            if (!thrown.sqlstate().empty())
                last_code_ = thrown.sqlstate();
            const auto spent = elapsed();
            proceed(plan_.after(current_, attempts_, spent, random_bits()), spent);
            continue;
        }
        current_.message = "the session of the lost commit is still at work";
        const auto spent = elapsed();
        proceed(plan_.not_yet(spent, random_bits()), spent);
    }
}

void call_loop::attempt_once(const std::function<outcome(session &)> &attempt, outcome &done) {
    const auto leased = [&] {
        try {
            return sessions_.acquire(deadline_);
        } catch (const pool_timeout &none) {
            if (doubted_)
                raise_in_doubt(none.what(), error_facts_now());
            throw pool_timeout(none.what(), error_facts_now());
        } catch (const pool_closed &none) {
            if (doubted_)
                raise_in_doubt(none.what(), error_facts_now());
            throw pool_closed(none.what(), error_facts_now());
        } catch (const statement_error &thrown) {
            current_.facts.sqlstate = thrown.sqlstate();
            current_.facts.detail = thrown.detail();
            current_.facts.hint = thrown.hint();
            throw;
        }
    }();
    attempt_begun_ = clock::now();
    try {
        done = attempt(*leased);
    } catch (const statement_error &thrown) {
        note(*leased, thrown);
        const auto verdict = plan_.judge(current_).verdict;
        if (verdict == retry_verdict::in_doubt)
            lost_ = {leased->backend_pid(), leased->backend_start()};
        // As long as it is ours: given back it may be lent to another call.
        if (is_spent(verdict, thrown.sqlstate()))
            leased->discard();
        throw;
    }
}

// Before the session is given back: its rollback would change what it says.
void call_loop::note(const session &at, const statement_error &thrown) {
    const auto where = current_.facts.where;
    current_.facts = thrown.facts();
    current_.facts.where = where;
    current_.session_open = at.is_open();
    current_.ran_out_of_time = current_.ran_out_of_time || at.ran_out_of_time();
    current_.plan_was_stale = at.plan_was_stale();
    current_.length =
        std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - attempt_begun_);
}

bool call_loop::lost_is_there(session &on) const {
    const std::optional<std::string> started =
        lost_->started.empty() ? std::nullopt : std::optional(lost_->started);
    const parameter which[] = {lost_->pid, started};
    // Where one of the two starts is not known, the number alone must do to wait for it; but not to
    // end it: by now it may be somebody else's.
    return !on.execute("SELECT CASE WHEN state LIKE 'idle%'"
                       " AND extract(epoch FROM backend_start)::text = $2"
                       " THEN pg_catalog.pg_terminate_backend(pid) END"
                       " FROM pg_catalog.pg_stat_activity WHERE pid = $1"
                       " AND (extract(epoch FROM backend_start)::text = $2) IS NOT FALSE",
                       which, deadline_)
                .data.empty();
}

void call_loop::proceed(const retry_plan::decision &decided,
                        std::chrono::microseconds elapsed_then) {
    if (decided.verdict == retry_verdict::in_doubt)
        doubted_ = ever_doubted_ = true;
    if (decided.next != retry_plan::step::again)
        finish(decided);
    if (decided.verdict == retry_verdict::elsewhere)
        sessions_.require_writable();
    if (policy_.on_retry)
        policy_.on_retry({current_.facts.where, current_.facts.sqlstate, current_.message,
                          decided.verdict, attempts_, decided.wait, elapsed_then});
    if (!sessions_.pause(decided.wait)) {
        if (doubted_)
            raise_in_doubt("the pool was closed", error_facts_now());
        throw pool_closed("the pool was closed", error_facts_now());
    }
}

void call_loop::finish(const retry_plan::decision &decided) {
    using step = retry_plan::step;
    auto facts = current_.facts;
    facts.attempts = attempts_;
    facts.elapsed = elapsed();
    if (facts.sqlstate.empty())
        facts.sqlstate = last_code_;
    const std::string &code = current_.facts.sqlstate;
    // The journal's own word settles a doubt: under this id stands another content, so not ours.
    if (decided.next == step::reject && code == "LS010")
        throw request_id_reused(current_.message, std::move(facts));
    if (doubted_)
        raise_in_doubt(current_.message, std::move(facts));
    switch (decided.next) {
    case step::out_of_time:
        throw gave_up("the deadline is over: " + current_.message, std::move(facts),
                      gave_up::reason::deadline);
    case step::out_of_attempts:
        throw gave_up("no attempts are left: " + current_.message, std::move(facts),
                      gave_up::reason::attempts);
    case step::again:
    case step::in_doubt:
    case step::reject: break;
    }
    if (code == "25P02")
        throw poisoned_transaction("the callback went on after an error that it had swallowed",
                                   std::move(facts));
    if (is_refusal(code) && error({}, facts).batch_index())
        throw batch_refused(current_.message, std::move(facts));
    throw rejected(current_.message, std::move(facts));
}

void call_loop::raise_in_doubt(const std::string &cause, error_facts facts) const {
    throw in_doubt("the transaction may have been committed: " + cause, std::move(facts), ids_);
}

call_facts call_loop::facts() const {
    return {ever_doubted_, attempts_, elapsed()};
}

error_facts call_loop::error_facts_now(std::string sqlstate) const {
    error_facts facts;
    facts.sqlstate = std::move(sqlstate);
    facts.where = current_.facts.where;
    facts.attempts = attempts_;
    facts.elapsed = elapsed();
    return facts;
}

std::chrono::microseconds call_loop::elapsed() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begun_);
}

} // namespace lockstep::detail
