// Faults at every point of a transfer, at READ COMMITTED and SERIALIZABLE: each intent is applied
// exactly once, and the caller hears its own outcome. The same faults with a blind retry must fail
// the same check.

#include "exactly_once.hpp"

#include <atomic>
#include <functional>
#include <mutex>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct exactly_once : fault_test {
    // A keyed call and a blind one under one fault: the first is right, and the check sees the
    // second.
    void expect_right_and_blind_wrong(fault what, bool blind_doubles) {
        {
            proxy between(server_port(), once(what, "lockstep_transfer"));
            pool sessions(options_through(between.port()));
            client caller(sessions);
            const auto result = caller.transfer(one_unit(), call());
            EXPECT_EQ(result.status, booking::applied);
            EXPECT_TRUE(result.call.was_in_doubt);
            EXPECT_EQ(result.call.attempts, 2);
            EXPECT_EQ(between.faults_done(), 1);
            EXPECT_EQ(log.events.front().verdict, retry_verdict::in_doubt);
            EXPECT_EQ(log.phases.front(), phase::commit);
            EXPECT_EQ(not_exactly_once(db(), {result.id}, 1), "");
        }
        proxy between(server_port(), once(what, "COMMIT"));
        pool sessions(options_through(between.port()));
        client caller(sessions);
        const auto blind = transfer_blindly(caller, one_unit(), GetParam(), call().retry);
        EXPECT_EQ(blind.status, booking::applied);
        EXPECT_EQ(between.faults_done(), 1);
        EXPECT_EQ(not_exactly_once(db(), {blind.id}, 2) != "", blind_doubles);
    }
};

INSTANTIATE_TEST_SUITE_P(levels, exactly_once,
                         ::testing::Values(isolation::read_committed, isolation::serializable),
                         ::testing::PrintToStringParamName());

TEST_P(exactly_once, link_cut_before_the_request_arrives) {
    expect_right_and_blind_wrong(fault::cut_before, false); // nothing was done: blind luck
}

TEST_P(exactly_once, link_cut_after_the_server_has_committed) {
    expect_right_and_blind_wrong(fault::cut_after, true);
}

TEST_P(exactly_once, client_cut_off_while_the_server_goes_on) {
    {
        gate at_commit(db(), gate::place::commit);
        proxy between(server_port(), once(fault::drop_client, "lockstep_transfer"));
        pool sessions(options_through(between.port()));
        client caller(sessions);
        std::optional<transfer_result> result;
        std::jthread calling([&] { result = caller.transfer(one_unit(), call()); });
        // Both stand in the server now: the orphan at its commit, the second call behind its id.
        at_commit.wait_for_arrival();
        ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                         " AND application_name = 'lockstep' AND wait_event_type = 'Lock'",
                         "2");
        at_commit.open();
        calling.join();
        EXPECT_EQ(result->status, booking::applied);
        EXPECT_TRUE(result->call.was_in_doubt);
        EXPECT_EQ(not_exactly_once(db(), {result->id}, 1), "");
    }
}

TEST_P(exactly_once, backend_killed_before_the_commit) {
    gate at_statement(db(), gate::place::statement);
    pool sessions(options());
    client caller(sessions);
    std::optional<transfer_result> result;
    std::jthread calling([&] { result = caller.transfer(one_unit(), call()); });
    end_backend(at_statement.wait_for_arrival());
    at_statement.open();
    calling.join();
    EXPECT_EQ(result->status, booking::applied);
    EXPECT_TRUE(result->call.was_in_doubt);
    EXPECT_EQ(log.codes, std::vector<std::string>{"57P01"});
    EXPECT_EQ(not_exactly_once(db(), {result->id}, 1), "");
}

TEST_P(exactly_once, backend_killed_at_the_commit) {
    gate at_commit(db(), gate::place::commit);
    pool sessions(options());
    client caller(sessions);
    std::optional<transfer_result> result;
    std::jthread calling([&] { result = caller.transfer(one_unit(), call()); });
    end_backend(at_commit.wait_for_arrival());
    at_commit.open();
    calling.join();
    EXPECT_EQ(result->status, booking::applied);
    EXPECT_TRUE(result->call.was_in_doubt);
    EXPECT_EQ(log.codes, std::vector<std::string>{"57P01"});
    EXPECT_EQ(not_exactly_once(db(), {result->id}, 1), "");
}

TEST_P(exactly_once, the_callers_own_id_is_told_as_the_journal_has_it) {
    proxy between(server_port(), once(fault::cut_after, "lockstep_transfer"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto request = one_unit();
    request.id = request_id::make();
    const auto result = caller.transfer(request, call());
    EXPECT_EQ(result.status, booking::replayed);
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(db(), {*request.id}, 1), "");
}

TEST_P(exactly_once, a_refusal_whose_answer_was_lost_is_told_with_its_reason) {
    proxy between(server_port(), once(fault::cut_after, "lockstep_transfer"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto request = one_unit();
    request.amount = 5000;
    const auto result = caller.transfer(request, call());
    EXPECT_EQ(result.status, booking::refused);
    EXPECT_EQ(result.sqlstate, "LS001");
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(db(), {}, 0), "");
}

TEST_P(exactly_once, an_adjustment_is_kept_as_well) {
    proxy between(server_port(), once(fault::cut_after, "lockstep_adjust"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    const auto result = caller.adjust({.ledger = "account", .key = 1, .delta = 5}, call());
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(result.balance, amount(1005));
    EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 1"), "1005");
}

// The answer never comes, and the deadline passes: the caller is told that it may have happened,
// and the same id finds out later.
TEST_P(exactly_once, past_the_deadline_it_stays_in_doubt_and_the_id_settles_it) {
    proxy between(server_port(), once(fault::hold_answer, "lockstep_transfer"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto impatient = call();
    impatient.retry.deadline = 3s; // a slow machine has booked it by then
    std::optional<request_id> id;
    try {
        (void)caller.transfer(one_unit(), impatient);
        FAIL() << "the answer came";
    } catch (const in_doubt &failure) {
        id = failure.id();
        EXPECT_EQ(failure.phase(), phase::commit);
    }
    ASSERT_TRUE(id);
    auto again = one_unit();
    again.id = id;
    EXPECT_EQ(caller.transfer(again, call()).status, booking::replayed);
    EXPECT_EQ(not_exactly_once(db(), {*id}, 1), "");
}

// A doubt is not forgotten because the next attempt fails for another reason.
TEST_P(exactly_once, a_later_final_error_does_not_hide_the_doubt) {
    proxy between(server_port(), once(fault::cut_after, "lockstep_transfer"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto wanted = call();
    wanted.retry.on_retry = [&](const retry_event &) {
        ask().run("ALTER FUNCTION lockstep.transfer RENAME TO moved_away");
    };
    try {
        (void)caller.transfer(one_unit(), wanted);
        FAIL() << "it was booked";
    } catch (const in_doubt &failure) {
        EXPECT_EQ(failure.sqlstate(), "42883");
        EXPECT_TRUE(failure.id());
    }
    EXPECT_EQ(not_exactly_once(db(), {}, 1), "");
}

// ---- callbacks: what may be repeated, and what may not

TEST_P(exactly_once, an_unkeyed_transaction_is_never_repeated_in_silence) {
    proxy between(server_port(), once(fault::cut_after, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    int runs = 0;
    bool hook_ran = false;
    try {
        caller.run(wanted, [&](transaction &tx) {
            ++runs;
            tx.after_commit([&] { hook_ran = true; });
            tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 8");
        });
        FAIL() << "the answer came";
    } catch (const in_doubt &failure) {
        EXPECT_EQ(failure.phase(), phase::commit);
        EXPECT_EQ(failure.attempts(), 1);
        EXPECT_FALSE(failure.id());
    }
    EXPECT_EQ(runs, 1);
    EXPECT_FALSE(hook_ran);
    EXPECT_TRUE(log.codes.empty());
}

TEST_P(exactly_once, who_is_killed_before_the_commit_was_sent_runs_again) {
    pool sessions(options());
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    caller.run(wanted, [&](transaction &tx) {
        tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 8");
        const auto pid = tx.exec("SELECT pg_backend_pid()")[0][0].as<std::string>();
        if (tx.attempt() == 1)
            end_backend(pid);
    });
    EXPECT_EQ(log.codes, std::vector<std::string>{"57P01"});
    EXPECT_EQ(log.phases, std::vector<phase>{phase::body});
    EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 8"), "1001");
}

TEST_P(exactly_once, a_read_only_transaction_is_simply_repeated) {
    proxy between(server_port(), once(fault::cut_after, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.mode = access_mode::read_only;
    wanted.retry = call().retry;
    int runs = 0;
    EXPECT_EQ(caller.run(wanted,
                         [&](transaction &tx) {
                             ++runs;
                             return tx.exec("SELECT sum(balance) FROM account")[0][0].as<int>();
                         }),
              8000);
    EXPECT_EQ(runs, 2);
}

TEST_P(exactly_once, a_keyed_body_may_be_called_idempotent) {
    proxy between(server_port(), once(fault::cut_after, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    wanted.idempotent = true;
    auto request = one_unit();
    request.id = request_id::make(); // outside
    const auto result = caller.run(wanted, [&](transaction &tx) { return tx.transfer(request); });
    EXPECT_EQ(result.status, booking::replayed);
    EXPECT_EQ(not_exactly_once(db(), {*request.id}, 1), "");
}

TEST_P(exactly_once, an_idempotent_body_is_not_stopped_by_its_own_orphan) {
    proxy between(server_port(), once(fault::swallow, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    wanted.idempotent = true;
    auto request = one_unit();
    request.id = request_id::make();
    const auto result = caller.run(wanted, [&](transaction &tx) { return tx.transfer(request); });
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(not_exactly_once(db(), {*request.id}, 1), "");
}

// The second session is well, and may be lent out again: nobody waits for its end.
TEST_P(exactly_once, a_conflict_after_a_lost_commit_is_a_conflict) {
    ask().run("CREATE SEQUENCE commits;"
              "CREATE FUNCTION conflict_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
              " IF nextval('commits') = 1 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001';"
              " END IF; RETURN NULL; END $$;"
              "CREATE CONSTRAINT TRIGGER conflict AFTER UPDATE ON account DEFERRABLE INITIALLY"
              " DEFERRED FOR EACH ROW WHEN (old.id = 1) EXECUTE FUNCTION conflict_once()");
    proxy between(server_port(), once(fault::cut_before, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    wanted.idempotent = true;
    auto request = one_unit();
    request.id = request_id::make();
    int attempts = 0;
    const auto result = caller.run(wanted, [&](transaction &tx) {
        attempts = tx.attempt();
        return tx.transfer(request);
    });
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(log.count("40001"), 1);
    EXPECT_EQ(not_exactly_once(db(), {*request.id}, 1), "");
}

struct verified : exactly_once {
    std::atomic<int> runs = 0, checks = 0;

    // Adds one to row 8 and leaves a mark that the check looks for.
    void add_one(client &caller) {
        run_options wanted;
        wanted.level = GetParam();
        wanted.retry = call().retry;
        const auto mark = request_id::make();
        wanted.verify = [&, mark](transaction &tx) -> std::optional<bool> {
            ++checks;
            EXPECT_EQ(tx.exec("SHOW transaction_read_only")[0][0].text(), "on");
            return !tx.exec("SELECT 1 FROM mark WHERE id = $1", mark).empty();
        };
        caller.run(wanted, [&, mark](transaction &tx) {
            ++runs;
            tx.exec("INSERT INTO mark VALUES ($1)", mark);
            tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 8");
        });
    }

    void expect_added_once() {
        EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 8"), "1001");
        EXPECT_EQ(ask().value("SELECT count(*) FROM mark"), "1");
    }

    void SetUp() override { ask().run("CREATE TABLE mark (id uuid PRIMARY KEY)"); }
};

INSTANTIATE_TEST_SUITE_P(levels, verified,
                         ::testing::Values(isolation::read_committed, isolation::serializable),
                         ::testing::PrintToStringParamName());

TEST_P(verified, a_lost_commit_that_happened_is_not_repeated) {
    proxy between(server_port(), once(fault::cut_after, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    add_one(caller);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(checks, 1);
    expect_added_once();
}

TEST_P(verified, a_lost_commit_that_did_not_happen_is_repeated) {
    proxy between(server_port(), once(fault::cut_before, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    add_one(caller);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(checks, 1);
    expect_added_once();
}

TEST_P(verified, a_doubt_that_was_settled_is_forgotten) {
    proxy between(server_port(), once(fault::cut_before, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    wanted.verify = [](transaction &) { return std::optional<bool>{false}; };
    try {
        caller.run(wanted, [](transaction &tx) {
            if (tx.attempt() > 1)
                tx.exec("SELECT 1 / 0");
        });
        FAIL() << "it was committed";
    } catch (const rejected &failure) { // and not in_doubt
        EXPECT_EQ(failure.sqlstate(), "22012");
    }
}

TEST_P(verified, nothing_is_believed_while_the_first_commit_is_under_way) {
    gate at_commit(db(), gate::place::commit);
    proxy between(server_port(), once(fault::hold_answer, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    std::jthread calling([&] { add_one(caller); });
    at_commit.wait_for_arrival();
    const int before = between.round_trips();
    between.drop_held();
    // A new session is set up, and then the client looks for the first one, again and again.
    while (between.round_trips() < before + 5)
        std::this_thread::yield();
    EXPECT_EQ(checks, 0);
    at_commit.open();
    calling.join();
    EXPECT_EQ(runs, 1);
    expect_added_once();
}

// The commit never arrived, and the server does not know that its client has gone: it would keep
// the rows locked for ever.
TEST_P(verified, a_first_session_that_waits_in_vain_is_ended) {
    proxy between(server_port(), once(fault::swallow, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    add_one(caller);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(checks, 1);
    expect_added_once();
}

TEST_P(verified, a_check_that_cannot_tell_leaves_it_in_doubt) {
    proxy between(server_port(), once(fault::cut_after, "COMMIT"));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    run_options wanted;
    wanted.level = GetParam();
    wanted.retry = call().retry;
    wanted.verify = [](transaction &) { return std::optional<bool>{}; };
    EXPECT_THROW(caller.run(wanted, [](transaction &tx) { tx.exec("DELETE FROM mark"); }),
                 in_doubt);
}

// ---- everything at once

struct chaos : exactly_once {
    static constexpr int threads = 4, intents_each = 60;

    // Random faults on six of ten commits, while each thread moves its units. Gives the ids that
    // the callers were told as applied.
    std::vector<request_id> hurt(std::string_view request,
                                 const std::function<transfer_result(client &)> &transfer) {
        proxy between(server_port(), at_random(request));
        pool sessions(options_through(between.port(), threads));
        client caller(sessions);
        std::mutex done_mutex;
        std::vector<request_id> done;
        std::vector<std::thread> running;
        running.reserve(threads);
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&] {
                for (int i = 0; i < intents_each; ++i) {
                    const auto result = transfer(caller);
                    EXPECT_EQ(result.status, booking::applied);
                    const std::lock_guard held(done_mutex);
                    done.push_back(result.id);
                }
            });
        for (auto &each : running)
            each.join();
        EXPECT_GT(between.faults_done(), threads * intents_each / 4);
        wait_for_quiet();
        return done;
    }
};

INSTANTIATE_TEST_SUITE_P(levels, chaos,
                         ::testing::Values(isolation::read_committed, isolation::serializable),
                         ::testing::PrintToStringParamName());

TEST_P(chaos, every_intent_is_applied_once) {
    const auto done = hurt("lockstep_transfer",
                           [&](client &caller) { return caller.transfer(one_unit(), patient()); });
    EXPECT_EQ(not_exactly_once(db(), done, threads * intents_each), "");
}

TEST_P(chaos, every_intent_inside_a_callback_is_applied_once) {
    const auto done = hurt("COMMIT", [&](client &caller) {
        run_options wanted;
        wanted.level = GetParam();
        wanted.retry = patient().retry;
        wanted.idempotent = true;
        auto request = one_unit();
        request.id = request_id::make();
        auto result = caller.run(wanted, [&](transaction &tx) { return tx.transfer(request); });
        if (result.status == booking::replayed)
            result.status = booking::applied; // by this intent: nobody else has the id
        return result;
    });
    EXPECT_EQ(not_exactly_once(db(), done, threads * intents_each), "");
}

// The guard of the two above: with a blind retry the same check must find the damage.
TEST_P(chaos, a_blind_retry_is_found_out) {
    const auto done = hurt("COMMIT", [&](client &caller) {
        return transfer_blindly(caller, one_unit(), GetParam(), patient().retry);
    });
    EXPECT_NE(not_exactly_once(db(), done, threads * intents_each), "");
    EXPECT_GT(db().booked(), threads * intents_each);
}

} // namespace
