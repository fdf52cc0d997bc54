// The pool: bounds, the queue, which session is given, what becomes of sessions that are no longer
// well.

#include "proxy.hpp"
#include "server.hpp"

#include "detail/session_pool.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;
using detail::session_pool;

struct pool_test : server_test {
    // Long enough for any machine; no test waits for it to pass.
    static detail::time_point later() { return detail::after(60s); }

    static void wait_for_waiters(const session_pool &sessions, std::size_t count) {
        while (sessions.stats().waiting != count)
            std::this_thread::yield();
    }

    void end_backend(int pid) {
        ask().run("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 60000)");
    }
};

TEST_F(pool_test, never_has_more_sessions_than_it_may) {
    session_pool sessions(options(2));
    const auto first = sessions.acquire(later());
    const auto second = sessions.acquire(later());
    EXPECT_NE(first->backend_pid(), second->backend_pid());
    EXPECT_THROW((void)sessions.acquire(detail::after(20ms)), pool_timeout);
    EXPECT_EQ(sessions.stats().size, 2U);
    EXPECT_EQ(sessions.stats().waiting, 0U);
}

TEST_F(pool_test, its_own_limit_ends_a_wait_before_the_callers_does) {
    auto wanted = options(1);
    wanted.acquire_timeout = 20ms;
    session_pool sessions(wanted);
    const auto only = sessions.acquire(later());
    EXPECT_THROW((void)sessions.acquire(later()), pool_timeout);
}

TEST_F(pool_test, a_long_queue_is_refused_at_once) {
    auto wanted = options(1);
    wanted.acquire_timeout = 60s;
    wanted.max_waiting = 1;
    session_pool sessions(wanted);
    auto only = std::make_optional(sessions.acquire(later()));
    std::thread waiter([&] { (void)sessions.acquire(later()); });
    wait_for_waiters(sessions, 1);
    EXPECT_THROW((void)sessions.acquire(later()), pool_timeout);
    EXPECT_EQ(sessions.stats().waiting, 1U);
    only.reset();
    waiter.join();
}

TEST_F(pool_test, who_waits_longest_is_served_first) {
    auto wanted = options(1);
    wanted.acquire_timeout = 60s;
    session_pool sessions(wanted);
    auto only = std::make_optional(sessions.acquire(later()));
    std::mutex order_mutex;
    std::vector<int> order;
    std::vector<std::thread> waiters;
    for (int i = 0; i < 5; ++i) {
        waiters.emplace_back([&, i] {
            const auto mine = sessions.acquire(later());
            const std::lock_guard held(order_mutex);
            order.push_back(i);
        });
        wait_for_waiters(sessions, static_cast<std::size_t>(i) + 1);
    }
    only.reset();
    for (auto &each : waiters)
        each.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(pool_test, the_session_used_last_is_given_first) {
    session_pool sessions(options(3));
    auto a = std::make_optional(sessions.acquire(later()));
    auto b = std::make_optional(sessions.acquire(later()));
    const int pid_a = (*a)->backend_pid(), pid_b = (*b)->backend_pid();
    b.reset();
    a.reset();
    const auto first = sessions.acquire(later());
    const auto second = sessions.acquire(later());
    EXPECT_EQ(first->backend_pid(), pid_a);
    EXPECT_EQ(second->backend_pid(), pid_b);
}

TEST_F(pool_test, a_session_that_ended_while_idle_costs_no_attempt) {
    pool sessions(options(1));
    client caller(sessions);
    event_log log;
    call_options call;
    call.retry.on_retry = log.hook();
    const auto first = caller.transfer(one_unit(), call);
    end_backend(std::stoi(
        ask().value("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND"
                    " application_name = 'lockstep'")));
    const auto second = caller.transfer(one_unit(), call);
    EXPECT_EQ(second.call.attempts, 1);
    EXPECT_FALSE(second.call.was_in_doubt);
    EXPECT_TRUE(log.codes.empty());
    EXPECT_EQ(sessions.stats().lost, 1U);
    EXPECT_EQ(sessions.stats().opened, 2U);
    EXPECT_EQ(db().violations({first.id, second.id}), "");
}

TEST_F(pool_test, idle_sessions_are_asked_only_after_one_was_lost) {
    std::atomic<int> pings = 0;
    proxy between(server_port(), [&](std::string_view request) {
        pings += request == "PING" ? 1 : 0;
        return fault::none;
    });
    session_pool sessions(options_through(between.port(), 2));
    auto a = std::make_optional(sessions.acquire(later()));
    auto b = std::make_optional(sessions.acquire(later()));
    const int pid_a = (*a)->backend_pid(), pid_b = (*b)->backend_pid();
    a.reset();
    b.reset();
    { const auto again = sessions.acquire(later()); }
    EXPECT_EQ(pings, 0);
    end_backend(pid_b);
    between.wait_for_end();
    { // the dead one is on top; the other is asked, and lives
        const auto survivor = sessions.acquire(later());
        EXPECT_EQ(survivor->backend_pid(), pid_a);
    }
    EXPECT_EQ(pings, 1);
    { const auto again = sessions.acquire(later()); }
    EXPECT_EQ(pings, 1);
}

TEST_F(pool_test, a_session_that_no_longer_answers_is_replaced) {
    proxy between(server_port(), [](std::string_view request) {
        return request == "PING" ? fault::hold_answer : fault::none;
    });
    session_pool sessions(options_through(between.port(), 2));
    auto a = std::make_optional(sessions.acquire(later()));
    auto b = std::make_optional(sessions.acquire(later()));
    const int pid_a = (*a)->backend_pid();
    const int pid_b = (*b)->backend_pid();
    a.reset();
    b.reset();
    end_backend(pid_b);
    between.wait_for_end();
    const auto replaced = sessions.acquire(later());
    EXPECT_NE(replaced->backend_pid(), pid_a);
    EXPECT_TRUE(replaced->is_open());
    EXPECT_EQ(sessions.stats().lost, 2U);
}

TEST_F(pool_test, an_open_transaction_is_rolled_back_when_its_session_comes_back) {
    session_pool sessions(options(1));
    int pid = 0;
    {
        const auto mine = sessions.acquire(later());
        pid = mine->backend_pid();
        mine->simple("BEGIN; UPDATE account SET balance = 0", later());
        EXPECT_EQ(mine->state(), detail::session_state::open);
    }
    const auto again = sessions.acquire(later());
    EXPECT_EQ(again->backend_pid(), pid);
    EXPECT_EQ(again->state(), detail::session_state::idle);
    EXPECT_EQ(ask().value("SELECT sum(balance) FROM account"), "8000");
}

TEST_F(pool_test, old_sessions_end) {
    auto wanted = options(1);
    wanted.max_lifetime = 1ms;
    session_pool sessions(wanted);
    {
        const auto first = sessions.acquire(later());
        std::this_thread::sleep_for(2ms); // longer than it lives: the time itself is the subject
    }
    EXPECT_EQ(sessions.stats().size, 0U);
    { const auto second = sessions.acquire(later()); }
    EXPECT_EQ(sessions.stats().opened, 2U);
    EXPECT_EQ(sessions.stats().lost, 0U);
}

TEST_F(pool_test, sessions_that_nobody_needs_end) {
    auto wanted = options(2);
    wanted.max_idle = 1ms;
    session_pool sessions(wanted);
    auto a = std::make_optional(sessions.acquire(later()));
    { const auto b = sessions.acquire(later()); }
    std::this_thread::sleep_for(2ms); // longer than max_idle: the time itself is the subject
    a.reset();
    EXPECT_EQ(sessions.stats().idle, 1U);
    EXPECT_EQ(sessions.stats().size, 1U);
}

TEST_F(pool_test, closing_ends_waits_and_refuses_callers) {
    auto wanted = options(1);
    wanted.acquire_timeout = 60s;
    session_pool sessions(wanted);
    auto only = std::make_optional(sessions.acquire(later()));
    std::atomic<bool> refused = false;
    std::thread waiter([&] {
        try {
            (void)sessions.acquire(later());
        } catch (const pool_closed &) {
            refused = true;
        }
    });
    wait_for_waiters(sessions, 1);
    sessions.close();
    waiter.join();
    EXPECT_TRUE(refused);
    EXPECT_THROW((void)sessions.acquire(later()), pool_closed);
    only.reset();
    EXPECT_EQ(sessions.stats().size, 0U);
}

TEST_F(pool_test, ends_only_when_every_session_is_back) {
    auto sessions = std::make_unique<session_pool>(options(1));
    std::atomic<bool> returned = false;
    auto only = std::make_unique<session_pool::lease>(sessions->acquire(later()));
    std::thread user([&] {
        ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                         " AND application_name = 'lockstep'",
                         "1");
        returned = true;
        only.reset();
    });
    sessions.reset();
    EXPECT_TRUE(returned);
    user.join();
}

TEST_F(pool_test, a_place_is_passed_on_when_connecting_fails) {
    auto wanted = options(1);
    wanted.acquire_timeout = 60s;
    wanted.conninfo += " dbname=nowhere";
    session_pool sessions(wanted);
    std::vector<std::thread> callers;
    callers.reserve(12);
    std::atomic<int> failed = 0;
    for (int i = 0; i < 8; ++i)
        callers.emplace_back([&] {
            try {
                (void)sessions.acquire(later());
            } catch (const statement_error &failure) {
                failed += failure.sqlstate() == "3D000" ? 1 : 0;
            }
        });
    for (auto &each : callers)
        each.join();
    EXPECT_EQ(failed, 8);
    EXPECT_EQ(sessions.stats().size, 0U);
}

TEST_F(pool_test, sessions_are_set_up_as_wanted) {
    auto wanted = options(1);
    wanted.settings = {{"work_mem", "7MB"}, {"application_name", "it's mine"}};
    session_pool sessions(wanted);
    const auto mine = sessions.acquire(later());
    EXPECT_EQ(mine->simple("SHOW work_mem", later()).data[0][0].text(), "7MB");
    EXPECT_EQ(mine->simple("SHOW application_name", later()).data[0][0].text(), "it's mine");
    EXPECT_EQ(mine->simple("SHOW client_connection_check_interval", later()).data[0][0].text(),
              "5s");
}

TEST_F(pool_test, notices_go_to_the_hook_and_not_to_stderr) {
    auto wanted = options(1);
    std::vector<std::string> heard;
    wanted.on_notice = [&](std::string_view text) { heard.emplace_back(text); };
    session_pool sessions(wanted);
    const auto mine = sessions.acquire(later());
    ::testing::internal::CaptureStderr();
    mine->simple("DO $$ BEGIN RAISE NOTICE 'hear this'; END $$", later());
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(heard, std::vector<std::string>{"hear this"});
}

TEST_F(pool_test, limits_that_cannot_be_meant_are_refused) {
    auto none = options(0);
    EXPECT_THROW(pool{none}, std::invalid_argument);
    auto timeless = options(1);
    timeless.connect_timeout = 0ms;
    EXPECT_THROW(pool{timeless}, std::invalid_argument);
    auto unreadable = options(1);
    unreadable.conninfo = "host=localhost nonsense";
    EXPECT_THROW(pool{unreadable}, std::invalid_argument);
}

// Many callers, few sessions, sessions dying under way: nobody is forgotten, nothing leaks.
TEST_F(pool_test, serves_everyone_under_load_and_loss) {
    auto wanted = options(3);
    wanted.acquire_timeout = 60s;
    session_pool sessions(wanted);
    std::atomic<int> served = 0;
    std::atomic<std::size_t> most = 0;
    std::vector<std::thread> callers;
    callers.reserve(12);
    for (int i = 0; i < 12; ++i)
        callers.emplace_back([&, i] {
            for (int turn = 0; turn < 40; ++turn) {
                const auto mine = sessions.acquire(later());
                most = std::max(most.load(), sessions.stats().size);
                try {
                    if ((turn + i) % 10 == 0)
                        mine->simple("SELECT pg_terminate_backend(pg_backend_pid())", later());
                    mine->simple("SELECT 1", later());
                } catch (const statement_error &) {
                    EXPECT_FALSE(mine->is_open());
                }
                ++served;
            }
        });
    for (auto &each : callers)
        each.join();
    EXPECT_EQ(served, 12 * 40);
    EXPECT_LE(most, 3U);
    EXPECT_EQ(sessions.stats().lost, 12U * 4U);
    EXPECT_EQ(sessions.stats().idle, sessions.stats().size);
}

} // namespace
