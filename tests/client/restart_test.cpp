// The server is restarted under the client. Each test has a server of its own.

#include "exactly_once.hpp"
#include "private_cluster.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <unistd.h>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct restart_test : ::testing::Test {
    restart_test() {
        const auto found = server_address_of(cluster);
        db.emplace(found);
    }

    static server_address server_address_of(const private_cluster &at) {
        const std::string text = at.conninfo();
        const auto begin = text.find("host=") + 5;
        return {text.substr(begin, text.find(' ', begin) - begin), at.port()};
    }

    pool_options options(const std::string &conninfo) {
        pool_options wanted;
        wanted.conninfo = conninfo;
        wanted.max_size = 4;
        return wanted;
    }

    call_options call() {
        call_options wanted;
        wanted.retry.deadline = 120s; // a slow machine's; nothing waits for it
        wanted.retry.reconnect = {5ms, 100ms};
        wanted.retry.capacity = {5ms, 100ms};
        wanted.retry.on_retry = log.hook();
        return wanted;
    }

    // The server goes down while the call's backend stands at the gate, and comes up again.
    void expect_once_over_a_restart(gate::place where, const std::string &mode) {
        std::optional<gate> closed(std::in_place, *db, where);
        pool sessions(options(db->conninfo()));
        client caller(sessions);
        std::optional<transfer_result> result;
        std::jthread calling([&] { result = caller.transfer(one_unit(), call()); });
        closed->wait_for_arrival();
        cluster.restart(mode); // the gate's lock goes with its session
        closed.reset();
        calling.join();
        db->reconnect();
        EXPECT_EQ(result->status, booking::applied);
        EXPECT_TRUE(result->call.was_in_doubt);
        EXPECT_EQ(not_exactly_once(*db, {result->id}, 1), "");
    }

    event_log log;
    private_cluster cluster{
        (std::filesystem::temp_directory_path() / ("lockstep-restart-" + std::to_string(getpid())))
            .string(),
        {"log_connections = on"}};
    std::optional<ledger_database> db;
};

TEST_F(restart_test, fast_before_the_commit) {
    expect_once_over_a_restart(gate::place::statement, "fast");
    EXPECT_EQ(log.codes.front(), "57P01");
}

TEST_F(restart_test, fast_at_the_commit) {
    expect_once_over_a_restart(gate::place::commit, "fast");
}

TEST_F(restart_test, immediate_before_the_commit) {
    expect_once_over_a_restart(gate::place::statement, "immediate");
}

TEST_F(restart_test, immediate_at_the_commit) {
    expect_once_over_a_restart(gate::place::commit, "immediate");
}

// Committed, but the answer was still on its way when the server died.
TEST_F(restart_test, immediate_after_the_commit) {
    proxy between(cluster.port(), [held = false](std::string_view request) mutable {
        return request == "lockstep_transfer" && !std::exchange(held, true) ? fault::hold_answer
                                                                            : fault::none;
    });
    pool sessions(options(db->conninfo(between.port())));
    client caller(sessions);
    std::optional<transfer_result> result;
    std::jthread calling([&] { result = caller.transfer(one_unit(), call()); });
    db->ask().wait_until("SELECT count(*) FROM account_journal", "1");
    cluster.restart("immediate");
    calling.join();
    db->reconnect();
    EXPECT_EQ(result->status, booking::applied);
    EXPECT_TRUE(result->call.was_in_doubt);
    EXPECT_EQ(not_exactly_once(*db, {result->id}, 1), "");
}

TEST_F(restart_test, idle_sessions_over_a_restart_cost_no_attempt) {
    pool sessions(options(db->conninfo()));
    client caller(sessions);
    const auto first = caller.transfer(one_unit(), call());
    cluster.restart("fast");
    const auto second = caller.transfer(one_unit(), call());
    EXPECT_EQ(second.call.attempts, 1);
    EXPECT_FALSE(second.call.was_in_doubt);
    EXPECT_TRUE(log.codes.empty());
    db->reconnect();
    EXPECT_EQ(not_exactly_once(*db, {first.id, second.id}, 2), "");
}

// A server that shuts down says so (57P03), and is waited for until another one is started.
TEST_F(restart_test, a_server_that_shuts_down_is_waited_for) {
    std::optional<admin> last_guest(std::in_place, db->conninfo());
    pool sessions(options(db->conninfo()));
    client caller(sessions);
    auto policy = call();
    const auto record = policy.retry.on_retry;
    std::thread stopping([&] { cluster.stop("smart"); });
    // Smart: whoever is there may stay, and nobody may come.
    for (bool refused = false; !refused;)
        try {
            admin another(db->conninfo());
        } catch (const std::runtime_error &) {
            refused = true;
        }
    policy.retry.on_retry = [&](const retry_event &event) {
        record(event);
        if (!last_guest)
            return;
        last_guest.reset();
        db->leave();
        stopping.join();
        cluster.start();
    };
    const auto result = caller.transfer(one_unit(), policy);
    EXPECT_EQ(log.codes.front(), "57P03");
    EXPECT_EQ(log.phases.front(), phase::connect);
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_FALSE(result.call.was_in_doubt);
    db->reconnect();
    EXPECT_EQ(not_exactly_once(*db, {result.id}, 1), "");
}

TEST_F(restart_test, a_wrong_password_is_told_at_once) {
    const std::string rules = db->ask().value("SHOW hba_file");
    db->ask().run("CREATE ROLE with_password LOGIN PASSWORD 'right'");
    std::string all;
    {
        std::ifstream input(rules);
        all.assign(std::istreambuf_iterator<char>(input), {});
    }
    std::ofstream(rules) << "host all with_password 127.0.0.1/32 scram-sha-256\n" << all;
    db->ask().run("SELECT pg_reload_conf()");
    // The postmaster reloads when it gets to it.
    const auto state_with = [&](const std::string &password) {
        pool sessions(
            options(db->conninfo(cluster.port()) + " user=with_password password=" + password));
        client caller(sessions);
        try {
            caller.run({}, [](transaction &) {});
            return std::string("none");
        } catch (const rejected &failure) {
            return failure.sqlstate();
        }
    };
    while (state_with("wrong") == "none")
        std::this_thread::yield();
    EXPECT_EQ(state_with("wrong"), "28P01");
    EXPECT_EQ(state_with("right"), "none");
}

} // namespace
