// Calls of many sessions that the server carries out together, and faults at every point of such a
// call: each is applied exactly once, and its caller hears the outcome of his own. Each test has a
// server of its own, with lockstep in shared_preload_libraries.

#include "exactly_once.hpp"
#include "private_cluster.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <unistd.h>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

constexpr const char *statement = "lockstep_submit";

struct submit_faults : ::testing::Test {
    const submit_request unit{.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1};
    event_log log;
    private_cluster cluster{
        (std::filesystem::temp_directory_path() / ("lockstep-submit-" + std::to_string(getpid())))
            .string(),
        {"shared_preload_libraries = lockstep", "max_connections = 500"}};
    ledger_database db{address()};

    [[nodiscard]] server_address address() const {
        const std::string text = cluster.conninfo();
        const auto begin = text.find("host=") + 5;
        return {text.substr(begin, text.find(' ', begin) - begin), cluster.port()};
    }

    [[nodiscard]] static pool_options options(const std::string &conninfo, std::size_t size = 4) {
        pool_options wanted;
        wanted.conninfo = conninfo;
        wanted.max_size = size;
        return wanted;
    }

    retry_policy call() {
        retry_policy wanted;
        wanted.deadline = 2min; // a slow machine's; nothing waits for it
        wanted.reconnect = {1ms, 20ms};
        wanted.on_retry = log.hook();
        return wanted;
    }

    void end_backend(const std::string &pid) {
        db.ask().run("SELECT pg_terminate_backend(" + pid + ", 60000)");
    }

    void expect_right(fault what) {
        proxy between(cluster.port(), fault_test::once(what, statement));
        pool sessions(options(db.conninfo(between.port())));
        const auto result = client(sessions).submit(unit, call());
        EXPECT_EQ(between.faults_done(), 1);
        EXPECT_EQ(result.status, booking::applied);
        EXPECT_EQ(result.to_balance, amount(1001));
        EXPECT_EQ(result.call.attempts, 2);
        EXPECT_TRUE(result.call.was_in_doubt);
        EXPECT_EQ(log.events.front().verdict, retry_verdict::in_doubt);
        EXPECT_EQ(log.phases.front(), phase::commit);
        EXPECT_EQ(not_exactly_once(db, {result.id}, 1), "");
    }

    // The call's backend is ended while it stands at the gate.
    void expect_right_when_killed(gate::place where) {
        gate closed(db, where);
        pool sessions(options(db.conninfo()));
        client caller(sessions);
        std::optional<submit_result> result;
        std::jthread calling([&] { result = caller.submit(unit, call()); });
        end_backend(closed.wait_for_arrival());
        closed.open();
        calling.join();
        EXPECT_EQ(log.codes.front(), "57P01");
        EXPECT_EQ(result->status, booking::applied);
        EXPECT_TRUE(result->call.was_in_doubt);
        EXPECT_EQ(not_exactly_once(db, {result->id}, 1), "");
    }
};

TEST_F(submit_faults, link_cut_before_the_request_arrives) {
    expect_right(fault::cut_before);
}

TEST_F(submit_faults, link_cut_after_the_server_has_committed) {
    expect_right(fault::cut_after);
}

TEST_F(submit_faults, request_lost_while_the_servers_side_stays_open) {
    expect_right(fault::swallow);
}

TEST_F(submit_faults, client_cut_off_while_the_server_goes_on) {
    gate at_commit(db, gate::place::commit);
    proxy between(cluster.port(), fault_test::once(fault::drop_client, statement));
    pool sessions(options(db.conninfo(between.port())));
    client caller(sessions);
    std::optional<submit_result> result;
    std::jthread calling([&] { result = caller.submit(unit, call()); });
    at_commit.wait_for_arrival();
    // The second one stands behind the orphan, for its id or in the queue.
    db.ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name = 'lockstep' AND state = 'active'"
                        " AND wait_event_type IN ('Lock', 'Extension')",
                        "2");
    at_commit.open();
    calling.join();
    EXPECT_EQ(result->status, booking::applied);
    EXPECT_TRUE(result->call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(db, {result->id}, 1), "");
}

TEST_F(submit_faults, backend_killed_before_the_commit) {
    expect_right_when_killed(gate::place::statement);
}

TEST_F(submit_faults, backend_killed_at_the_commit) {
    expect_right_when_killed(gate::place::commit);
}

TEST_F(submit_faults, an_adjustment_is_kept_as_well) {
    proxy between(cluster.port(), fault_test::once(fault::cut_after, statement));
    pool sessions(options(db.conninfo(between.port())));
    const auto result = client(sessions).submit(
        {.ledger = "account", .from_key = std::nullopt, .to_key = 1, .amount = 5}, call());
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(result.to_balance, amount(1005));
    EXPECT_EQ(db.ask().value("SELECT balance FROM account WHERE id = 1"), "1005");
}

TEST_F(submit_faults, the_callers_own_id_is_told_as_the_journal_has_it) {
    proxy between(cluster.port(), fault_test::once(fault::cut_after, statement));
    pool sessions(options(db.conninfo(between.port())));
    auto request = unit;
    request.id = request_id::make();
    const auto result = client(sessions).submit(request, call());
    EXPECT_EQ(result.status, booking::replayed);
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(db, {*request.id}, 1), "");
}

TEST_F(submit_faults, a_refusal_whose_answer_was_lost_is_told_with_its_reason) {
    proxy between(cluster.port(), fault_test::once(fault::cut_after, statement));
    pool sessions(options(db.conninfo(between.port())));
    auto request = unit;
    request.amount = 5000;
    const auto result = client(sessions).submit(request, call());
    EXPECT_EQ(result.status, booking::refused);
    EXPECT_EQ(result.sqlstate, "LS001");
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(db, {}, 0), "");
}

TEST_F(submit_faults, past_the_deadline_it_stays_in_doubt_and_the_id_settles_it) {
    proxy between(cluster.port(), fault_test::once(fault::hold_answer, statement));
    pool sessions(options(db.conninfo(between.port())));
    client caller(sessions);
    auto impatient = call();
    impatient.deadline = 3s; // a slow machine has booked it by then
    auto again = unit;
    try {
        (void)caller.submit(unit, impatient);
        FAIL() << "the answer came";
    } catch (const in_doubt &failure) {
        again.id = failure.id();
        EXPECT_EQ(failure.phase(), phase::commit);
    }
    ASSERT_TRUE(again.id);
    EXPECT_EQ(caller.submit(again, call()).status, booking::replayed);
    EXPECT_EQ(not_exactly_once(db, {*again.id}, 1), "");
}

TEST_F(submit_faults, a_later_final_error_does_not_hide_the_doubt) {
    proxy between(cluster.port(), fault_test::once(fault::cut_after, statement));
    pool sessions(options(db.conninfo(between.port())));
    auto wanted = call();
    wanted.on_retry = [&](const retry_event &) {
        db.ask().run("ALTER PROCEDURE lockstep.submit RENAME TO moved_away");
    };
    try {
        (void)client(sessions).submit(unit, wanted);
        FAIL() << "it was booked";
    } catch (const in_doubt &failure) {
        EXPECT_EQ(failure.sqlstate(), "42883");
        EXPECT_TRUE(failure.id());
    }
    EXPECT_EQ(not_exactly_once(db, {}, 1), "");
}

// Many threads at one row, through sessions that were made at different times. Goes on until the
// server has put calls together, as it does sooner or later.
TEST_F(submit_faults, calls_of_many_sessions_are_put_together) {
    constexpr int threads = 8;
    pool sessions(options(db.conninfo(), threads));
    client caller(sessions);
    auto wanted = call();
    wanted.on_retry = {};
    std::atomic<bool> together = false;
    std::mutex done_mutex;
    std::vector<request_id> done;
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&] {
            while (!together) {
                const auto result = caller.submit(unit, wanted);
                if (result.group_size > 1 || result.status != booking::applied)
                    together = true;
                const std::lock_guard held(done_mutex);
                EXPECT_EQ(result.status, booking::applied);
                done.push_back(result.id);
            }
        });
    running.clear();
    EXPECT_EQ(not_exactly_once(db, done, static_cast<int>(done.size())), "");
}

// Random faults on six of ten calls, of leaders and of those who follow them.
TEST_F(submit_faults, every_intent_is_applied_once_whatever_happens) {
    constexpr int threads = 8, intents_each = 40;
    proxy between(cluster.port(), fault_test::at_random(statement));
    pool sessions(options(db.conninfo(between.port()), threads));
    client caller(sessions);
    auto patient = call();
    patient.on_retry = {};
    patient.max_attempts = 1000;
    std::mutex done_mutex;
    std::vector<request_id> done;
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&] {
            for (int i = 0; i < intents_each; ++i) {
                const auto result = caller.submit(unit, patient);
                const std::lock_guard held(done_mutex);
                EXPECT_EQ(result.status, booking::applied);
                done.push_back(result.id);
            }
        });
    running.clear();
    EXPECT_GT(between.faults_done(), threads * intents_each / 4);
    db.ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name = 'lockstep' AND state <> 'idle'",
                        "0");
    EXPECT_EQ(not_exactly_once(db, done, threads * intents_each), "");
}

} // namespace
