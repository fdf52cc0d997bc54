// One session: what it says about itself after failures, and its limits.

#include "proxy.hpp"
#include "server.hpp"

#include "detail/session_pool.hpp"

#include <optional>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;
using detail::session_pool;
using detail::session_state;

struct session_test : server_test {
    static detail::time_point later() { return detail::after(60s); }
};

TEST_F(session_test, knows_a_plan_that_no_longer_fits) {
    session_pool sessions(options(1));
    const auto mine = sessions.acquire(later());
    mine->prepare("all_columns", "SELECT * FROM account", later());
    mine->execute_prepared("all_columns", {}, later());
    EXPECT_FALSE(mine->plan_was_stale());
    ask().run("ALTER TABLE account ADD COLUMN note text");
    EXPECT_THROW(mine->execute_prepared("all_columns", {}, later()), statement_error);
    EXPECT_TRUE(mine->plan_was_stale());
    EXPECT_THROW(mine->simple("CREATE TABLE t (LIKE account INCLUDING ALL) INHERITS (account)"
                              " PARTITION BY LIST (id)",
                              later()),
                 statement_error);
    EXPECT_FALSE(mine->plan_was_stale());
}

TEST_F(session_test, knows_whether_anything_was_sent) {
    session_pool sessions(options(1));
    const auto mine = sessions.acquire(later());
    mine->watch_sending();
    EXPECT_FALSE(mine->was_sent());
    EXPECT_THROW(mine->simple("SELECT pg_terminate_backend(pg_backend_pid())", later()),
                 statement_error);
    EXPECT_TRUE(mine->was_sent());
    mine->watch_sending();
    EXPECT_THROW(mine->simple("SELECT 1", later()), statement_error);
    EXPECT_FALSE(mine->was_sent());
    EXPECT_EQ(mine->state(), session_state::lost);
}

TEST_F(session_test, hears_the_servers_farewell) {
    session_pool sessions(options(1));
    const auto mine = sessions.acquire(later());
    EXPECT_TRUE(mine->alive_now());
    ask().run("SELECT pg_terminate_backend(" + std::to_string(mine->backend_pid()) + ", 60000)");
    EXPECT_FALSE(mine->alive_now());
    EXPECT_EQ(mine->farewell(), "57P01");
}

TEST_F(session_test, an_answer_that_does_not_come_is_not_waited_for) {
    proxy between(server_port(), [](std::string_view) { return fault::hold_answer; });
    session_pool sessions(options_through(between.port(), 1));
    const auto mine = sessions.acquire(later());
    EXPECT_THROW(mine->simple("", detail::after(50ms)), statement_error);
    EXPECT_TRUE(mine->ran_out_of_time());
    EXPECT_EQ(mine->state(), session_state::lost);
}

TEST_F(session_test, large_values_cross_both_ways) {
    session_pool sessions(options(1));
    const auto mine = sessions.acquire(later());
    std::string large = "x";
    while (large.size() < 20'000'000) // more than any socket buffer
        large += large;
    const parameter parameters[] = {large};
    const auto back = mine->execute("SELECT $1::text", parameters, later());
    EXPECT_TRUE(back.data[0][0].text() == large);
}

TEST_F(session_test, the_servers_own_shorter_limit_is_kept) {
    ask().run("ALTER DATABASE " + db().name() + " SET statement_timeout = '20ms'");
    pool sessions(options(1));
    client caller(sessions);
    ask().run(
        "SET statement_timeout = 0; BEGIN; UPDATE account SET balance = balance WHERE id = 1");
    try {
        (void)caller.transfer(one_unit());
        FAIL() << "the row was free";
    } catch (const rejected &failure) { // not gave_up: the time was the server's, not the call's
        EXPECT_EQ(failure.sqlstate(), "57014");
    }
    EXPECT_THROW(caller.run({}, [](transaction &tx) { tx.exec("SELECT pg_sleep(60)"); }), rejected);
    ask().run("ROLLBACK");
}

} // namespace
