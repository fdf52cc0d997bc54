// The runner without faults of the network: levels, what is tried again and what is not,
// transactions that may not be committed, hooks, deadlines.

#include "proxy.hpp"
#include "server.hpp"

#include "detail/session_pool.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct run_test : server_test {
    pool sessions{options()};
    client caller{sessions};
    event_log log;

    run_options logged() {
        run_options wanted;
        wanted.retry.deadline = 60s;
        wanted.retry.on_retry = log.hook();
        return wanted;
    }

    static int pid_of(transaction &tx) {
        return tx.exec("SELECT pg_backend_pid()")[0][0].as<int>();
    }
    static void fail_with(transaction &tx, const std::string &sqlstate) {
        tx.exec("DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '" + sqlstate +
                "'; END $$");
    }
    std::string balance(int id) {
        return ask().value("SELECT balance FROM account WHERE id = " + std::to_string(id));
    }
};

TEST_F(run_test, gives_back_what_the_callback_returned) {
    const auto sum = caller.run({}, [](transaction &tx) {
        return tx.exec("SELECT sum(balance) FROM account WHERE id > $1", 4)[0][0].as<int>();
    });
    EXPECT_EQ(sum, 4000);
    bool called = false;
    caller.run({}, [&](transaction &) { called = true; });
    EXPECT_TRUE(called);
    const auto only_movable =
        caller.run({}, [](transaction &) { return std::make_unique<int>(3); });
    EXPECT_EQ(*only_movable, 3);
}

TEST_F(run_test, commits_what_the_callback_did) {
    const auto changed = caller.run({}, [](transaction &tx) {
        return tx.exec("UPDATE account SET balance = balance + $1 WHERE id <= $2", 5, 3).affected();
    });
    EXPECT_EQ(changed, 3);
    EXPECT_EQ(balance(1), "1005");
}

TEST_F(run_test, runs_at_the_level_that_was_asked_for) {
    const auto level = [&](isolation wanted) {
        run_options at;
        at.level = wanted;
        return caller.run(at, [](transaction &tx) {
            return tx.exec("SHOW transaction_isolation")[0][0].as<std::string>();
        });
    };
    EXPECT_EQ(level(isolation::read_committed), "read committed");
    EXPECT_EQ(level(isolation::repeatable_read), "repeatable read");
    EXPECT_EQ(level(isolation::serializable), "serializable");
    EXPECT_EQ(caller.run({},
                         [](transaction &tx) {
                             return tx.exec("SHOW transaction_isolation")[0][0].as<std::string>();
                         }),
              "serializable");
}

TEST_F(run_test, read_only_means_it) {
    auto wanted = logged();
    wanted.mode = access_mode::read_only;
    try {
        caller.run(wanted, [](transaction &tx) { tx.exec("UPDATE account SET balance = 0"); });
        FAIL() << "it was written";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "25006");
        EXPECT_EQ(failure.attempts(), 1);
    }
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(run_test, takes_three_round_trips_for_one_statement) {
    proxy between(server_port(), [](std::string_view) { return fault::none; });
    pool through(options_through(between.port()));
    client counted(through);
    counted.run({}, [](transaction &tx) { tx.exec("SELECT 1"); });
    const int before = between.round_trips();
    counted.run({}, [](transaction &tx) { tx.exec("SELECT $1::int", 1); });
    EXPECT_EQ(between.round_trips() - before, 3);
}

TEST_F(run_test, the_callbacks_own_exception_passes_through_unchanged) {
    struct business_error {
        int number;
    };
    const business_error *thrown = nullptr;
    auto wanted = logged();
    try {
        caller.run(wanted, [](transaction &tx) {
            tx.exec("UPDATE account SET balance = 0");
            throw business_error{42};
        });
    } catch (const business_error &caught) {
        thrown = &caught;
        EXPECT_EQ(caught.number, 42);
    }
    EXPECT_NE(thrown, nullptr);
    EXPECT_TRUE(log.codes.empty());
    EXPECT_EQ(ask().value("SELECT sum(balance) FROM account"), "8000");
    EXPECT_EQ(sessions.stats().opened, 1U);
    caller.run({}, [](transaction &) {}); // the session is well
    EXPECT_EQ(sessions.stats().opened, 1U);
}

TEST_F(run_test, a_conflict_is_tried_again_on_the_same_session) {
    std::vector<int> pids;
    caller.run(logged(), [&](transaction &tx) {
        pids.push_back(pid_of(tx));
        EXPECT_EQ(tx.attempt(), static_cast<int>(pids.size()));
        tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 1");
        if (tx.attempt() < 3)
            fail_with(tx, "40001");
    });
    ASSERT_EQ(pids.size(), 3U);
    EXPECT_EQ(pids[0], pids[2]);
    EXPECT_EQ(log.count("40001"), 2);
    EXPECT_EQ(balance(1), "1001");
}

// Both read the sum of two rows, each takes from another one: the second to commit must not.
TEST_F(run_test, write_skew_is_found_at_the_commit_and_tried_again) {
    admin other(db().conninfo());
    std::vector<std::string> seen;
    caller.run(logged(), [&](transaction &tx) {
        const auto sum = tx.exec("SELECT sum(balance) FROM account WHERE id IN (1, 2)");
        seen.emplace_back(sum[0][0].text());
        if (tx.attempt() == 1)
            other.run("BEGIN ISOLATION LEVEL SERIALIZABLE;"
                      "SELECT sum(balance) FROM account WHERE id IN (1, 2);"
                      "UPDATE account SET balance = balance - 700 WHERE id = 2");
        if (sum[0][0].as<int>() >= 1500)
            tx.exec("UPDATE account SET balance = balance - 700 WHERE id = 1");
        if (tx.attempt() == 1)
            other.run("COMMIT");
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"2000", "1300"}));
    EXPECT_EQ(log.codes, std::vector<std::string>{"40001"});
    EXPECT_EQ(log.phases, std::vector<phase>{phase::commit});
    EXPECT_EQ(balance(1), "1000");
}

TEST_F(run_test, a_deadlock_is_tried_again) {
    admin other(db().conninfo());
    const auto other_pid = other.value("SELECT pg_backend_pid()");
    std::jthread blocked;
    auto wanted = logged();
    wanted.level = isolation::read_committed;
    const auto record = wanted.retry.on_retry;
    wanted.retry.on_retry = [&](const retry_event &event) {
        record(event);
        blocked.join(); // the way is free now
    };
    caller.run(wanted, [&](transaction &tx) {
        if (tx.attempt() == 1) {
            other.run("BEGIN; UPDATE account SET balance = balance + 10 WHERE id = 2");
            tx.exec("SET LOCAL deadlock_timeout = '10ms'"); // so that it is we who find it
            tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 1");
            blocked = std::jthread([&] {
                other.run("SET LOCAL deadlock_timeout = '1h';"
                          "UPDATE account SET balance = balance + 10 WHERE id = 1; COMMIT");
            });
            ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                             " AND pid = " +
                                 other_pid,
                             "1");
        } else {
            tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 1");
        }
        tx.exec("UPDATE account SET balance = balance + 1 WHERE id = 2");
    });
    EXPECT_EQ(log.codes, std::vector<std::string>{"40P01"});
    EXPECT_EQ(balance(1), "1011");
    EXPECT_EQ(balance(2), "1011");
}

TEST_F(run_test, a_swallowed_error_is_not_committed) {
    auto wanted = logged();
    try {
        caller.run(wanted, [](transaction &tx) {
            tx.exec("UPDATE account SET balance = 0 WHERE id = 1");
            try {
                tx.exec("INSERT INTO account VALUES (1, 0)");
            } catch (const statement_error &failure) {
                EXPECT_EQ(failure.sqlstate(), "23505");
                EXPECT_EQ(failure.constraint(), "account_pkey");
            }
        });
        FAIL() << "it was told as committed";
    } catch (const poisoned_transaction &failure) {
        EXPECT_EQ(failure.attempts(), 1);
    }
    EXPECT_TRUE(log.codes.empty());
    EXPECT_EQ(balance(1), "1000");
}

TEST_F(run_test, going_on_after_a_swallowed_error_is_not_tried_again) {
    EXPECT_THROW(caller.run(logged(),
                            [](transaction &tx) {
                                try {
                                    tx.exec("SELECT 1 / 0");
                                } catch (const statement_error &) {
                                }
                                tx.exec("SELECT 1");
                            }),
                 poisoned_transaction);
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(run_test, a_savepoint_heals) {
    caller.run({}, [](transaction &tx) {
        tx.exec("UPDATE account SET balance = 1 WHERE id = 1");
        tx.exec("SAVEPOINT here");
        EXPECT_THROW(tx.exec("INSERT INTO account VALUES (1, 0)"), statement_error);
        tx.exec("ROLLBACK TO SAVEPOINT here");
    });
    EXPECT_EQ(balance(1), "1");
}

TEST_F(run_test, who_ends_the_transaction_in_the_callback_is_told_so) {
    EXPECT_THROW(caller.run({}, [](transaction &tx) { tx.exec("ROLLBACK"); }),
                 poisoned_transaction);
    EXPECT_THROW(caller.run({}, [](transaction &tx) { tx.exec("COMMIT"); }), poisoned_transaction);
}

TEST_F(run_test, a_swallowed_loss_of_the_session_is_not_committed) {
    EXPECT_THROW(caller.run(logged(),
                            [](transaction &tx) {
                                try {
                                    tx.exec("SELECT pg_terminate_backend(pg_backend_pid())");
                                } catch (const statement_error &failure) {
                                    EXPECT_EQ(failure.sqlstate(), "57P01");
                                }
                            }),
                 poisoned_transaction);
}

TEST_F(run_test, calls_inside_a_callback_are_refused) {
    pool other_sessions(options());
    client other(other_sessions);
    EXPECT_THROW(caller.run({}, [&](transaction &) { caller.run({}, [](transaction &) {}); }),
                 nested_run);
    EXPECT_THROW(caller.run({}, [&](transaction &) { (void)other.transfer(one_unit()); }),
                 nested_run);
    EXPECT_EQ(db().booked(), 0);
    EXPECT_EQ(caller.transfer(one_unit()).status, booking::applied); // allowed again
}

TEST_F(run_test, a_lock_that_is_not_free_in_time_is_told_at_once) {
    admin holder(db().conninfo());
    holder.run("BEGIN; UPDATE account SET balance = balance WHERE id = 1");
    auto wanted = logged();
    try {
        caller.run(wanted, [](transaction &tx) {
            tx.exec("SELECT * FROM account WHERE id = 1 FOR UPDATE NOWAIT");
        });
        FAIL() << "the lock was free";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "55P03");
        EXPECT_EQ(failure.attempts(), 1);
    }
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(run_test, a_lock_is_tried_again_for_who_asks) {
    admin holder(db().conninfo());
    holder.run("BEGIN; UPDATE account SET balance = balance WHERE id = 1");
    auto wanted = logged();
    wanted.retry.retry_lock_timeout = true;
    const auto record = wanted.retry.on_retry;
    wanted.retry.on_retry = [&](const retry_event &event) {
        record(event);
        holder.run("ROLLBACK");
    };
    caller.run(wanted, [](transaction &tx) {
        tx.exec("SELECT * FROM account WHERE id = 1 FOR UPDATE NOWAIT");
    });
    EXPECT_EQ(log.codes, std::vector<std::string>{"55P03"});
}

TEST_F(run_test, a_cancelled_statement_is_not_tried_again) {
    for (const auto *cause :
         {"SELECT pg_cancel_backend(pg_backend_pid())", "SET LOCAL statement_timeout = '5ms'"}) {
        try {
            caller.run(logged(), [&](transaction &tx) {
                tx.exec(cause);
                tx.exec("SELECT pg_sleep(60)");
            });
            FAIL() << "it was not cancelled";
        } catch (const rejected &failure) {
            EXPECT_EQ(failure.sqlstate(), "57014") << cause;
            EXPECT_EQ(failure.attempts(), 1) << cause;
        }
    }
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(run_test, the_deadline_ends_a_statement_in_the_server_too) {
    auto wanted = logged();
    wanted.retry.deadline = 2s;
    try {
        caller.run(wanted, [](transaction &tx) { tx.exec("SELECT pg_sleep(3600)"); });
        FAIL() << "it slept to the end";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.why(), gave_up::reason::deadline);
        EXPECT_EQ(failure.sqlstate(), "57014"); // the server's word arrived in time
    }
    EXPECT_EQ(sessions.stats().lost, 0U);
    ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'"
                     " AND state = 'active' AND datname = current_database()"
                     " AND pid <> pg_backend_pid()",
                     "0");
}

TEST_F(run_test, conflicts_without_end_end_at_the_deadline) {
    auto wanted = logged();
    wanted.retry.deadline = 2s; // a slow machine has tried it twice by then
    EXPECT_THROW(caller.run(wanted, [](transaction &tx) { fail_with(tx, "40001"); }), gave_up);
    EXPECT_GT(log.events.size(), 1U);
    for (const auto &event : log.events)
        EXPECT_LT(event.elapsed + event.wait, wanted.retry.deadline);
}

TEST_F(run_test, conflicts_without_end_end_with_the_attempts) {
    auto wanted = logged();
    wanted.retry.max_attempts = 3;
    int runs = 0;
    try {
        caller.run(wanted, [&](transaction &tx) {
            ++runs;
            fail_with(tx, "40P01");
        });
        FAIL() << "it succeeded";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.why(), gave_up::reason::attempts);
        EXPECT_EQ(failure.sqlstate(), "40P01");
        EXPECT_EQ(failure.attempts(), 3);
    }
    EXPECT_EQ(runs, 3);
}

TEST_F(run_test, holds_no_session_while_it_waits) {
    auto wanted = logged();
    int pauses = 0;
    wanted.retry.on_retry = [&](const retry_event &) {
        ++pauses;
        EXPECT_EQ(sessions.stats().idle, sessions.stats().size);
    };
    caller.run(wanted, [](transaction &tx) {
        if (tx.attempt() < 4)
            fail_with(tx, "40001");
    });
    EXPECT_EQ(pauses, 3);
}

TEST_F(run_test, hooks_run_once_and_only_for_the_attempt_that_commits) {
    std::vector<int> ran;
    caller.run({}, [&](transaction &tx) {
        const int attempt = tx.attempt();
        tx.after_commit([&, attempt] {
            ran.push_back(attempt);
            EXPECT_EQ(sessions.stats().idle, 1U); // no session is held
        });
        if (attempt < 3)
            fail_with(tx, "40001");
    });
    EXPECT_EQ(ran, std::vector<int>{3});
    EXPECT_THROW(caller.run({},
                            [&](transaction &tx) {
                                tx.after_commit([&] { ran.push_back(0); });
                                fail_with(tx, "22012");
                            }),
                 rejected);
    EXPECT_EQ(ran, std::vector<int>{3});
}

TEST_F(run_test, a_failing_hook_stops_neither_the_others_nor_the_commit) {
    bool second_ran = false;
    int runs = 0;
    EXPECT_THROW(caller.run({},
                            [&](transaction &tx) {
                                ++runs;
                                tx.exec("UPDATE account SET balance = 7 WHERE id = 7");
                                tx.after_commit([] { throw std::logic_error("mine"); });
                                tx.after_commit([&] { second_ran = true; });
                            }),
                 std::logic_error);
    EXPECT_EQ(runs, 1);
    EXPECT_TRUE(second_ran);
    EXPECT_EQ(balance(7), "7");
}

TEST_F(run_test, errors_carry_what_the_server_said) {
    try {
        caller.run({}, [](transaction &tx) {
            tx.exec("DO $$ BEGIN RAISE EXCEPTION 'primary' USING ERRCODE = 'LS001',"
                    " DETAIL = 'the detail', HINT = 'the hint', CONSTRAINT = 'the_constraint';"
                    " END $$");
        });
        FAIL() << "nothing was raised";
    } catch (const rejected &failure) {
        EXPECT_STREQ(failure.what(), "primary");
        EXPECT_EQ(failure.sqlstate(), "LS001");
        EXPECT_EQ(failure.detail(), "the detail");
        EXPECT_EQ(failure.hint(), "the hint");
        EXPECT_EQ(failure.constraint(), "the_constraint");
        EXPECT_EQ(failure.phase(), phase::body);
        EXPECT_EQ(failure.attempts(), 1);
    }
}

TEST_F(run_test, a_deferred_constraint_is_a_final_answer_at_the_commit) {
    ask().run("CREATE TABLE part (id int REFERENCES account DEFERRABLE INITIALLY DEFERRED)");
    try {
        caller.run(logged(), [](transaction &tx) { tx.exec("INSERT INTO part VALUES (99)"); });
        FAIL() << "it was committed";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "23503");
        EXPECT_EQ(failure.phase(), phase::commit);
    }
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(run_test, copy_is_refused_and_the_session_replaced) {
    EXPECT_THROW(caller.run({}, [](transaction &tx) { tx.exec("COPY account TO STDOUT"); }), error);
    EXPECT_EQ(caller.run({}, [](transaction &tx) { return tx.exec("SELECT 1")[0][0].as<int>(); }),
              1);
}

TEST_F(run_test, a_read_only_server_is_left_until_one_can_write) {
    const std::string role = "reader_" + db().name();
    ask().run("CREATE ROLE " + role +
              " LOGIN SUPERUSER;"
              "ALTER ROLE " +
              role + " SET default_transaction_read_only = on");
    auto wanted = options(1);
    wanted.conninfo += " user=" + role;
    {
        pool as_reader(wanted);
        client reader(as_reader);
        auto policy = logged();
        const auto record = policy.retry.on_retry;
        policy.retry.on_retry = [&](const retry_event &event) {
            record(event);
            if (log.events.size() == 2) // the second: a new session that cannot write either
                ask().run("ALTER ROLE " + role + " SET default_transaction_read_only = off");
        };
        reader.run(policy,
                   [](transaction &tx) { tx.exec("UPDATE account SET balance = 5 WHERE id = 5"); });
    }
    EXPECT_EQ(log.codes.front(), "25006");
    EXPECT_EQ(log.events.front().verdict, retry_verdict::elsewhere);
    EXPECT_EQ(log.phases.at(1), phase::connect);
    EXPECT_EQ(balance(5), "5");
    ask().run("DROP ROLE " + role);
}

// 08007 and 40003 say that something may have been committed, whoever raised them.
TEST_F(run_test, a_code_that_says_unknown_is_in_doubt_unless_nothing_was_written) {
    for (const auto *code : {"08007", "40003"}) {
        EXPECT_THROW(caller.run(logged(), [&](transaction &tx) { fail_with(tx, code); }), in_doubt);
        EXPECT_TRUE(log.codes.empty());
        auto reading = logged();
        reading.mode = access_mode::read_only;
        caller.run(reading, [&](transaction &tx) {
            if (tx.attempt() == 1)
                fail_with(tx, code);
        });
        EXPECT_EQ(log.codes, std::vector<std::string>{code});
        log = {};
    }
}

TEST_F(run_test, policies_that_cannot_be_meant_are_refused) {
    run_options wanted;
    wanted.retry.deadline = 0ms;
    EXPECT_THROW(caller.run(wanted, [](transaction &) {}), std::invalid_argument);
    wanted.retry.deadline = 1s;
    wanted.retry.max_attempts = 0;
    EXPECT_THROW(caller.run(wanted, [](transaction &) {}), std::invalid_argument);
}

} // namespace
