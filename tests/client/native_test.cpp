// libpqxx code of the caller's own inside lockstep's transactions: it works as ever, its failures
// are judged as ours are, and a swallowed one is not committed, whatever libpqxx itself would do.

#include "server.hpp"

#include <lockstep/native.hpp>
#include <pqxx/pqxx>

#include <string>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct native_test : server_test {
    pool sessions{options()};
    client caller{sessions};
    event_log log;

    run_options logged() {
        run_options wanted;
        wanted.retry.deadline = 60s;
        wanted.retry.on_retry = log.hook();
        return wanted;
    }

    // The code with which a run of this statement through libpqxx ends.
    std::string state_of(const std::string &sql) {
        try {
            caller.run(logged(), [&](transaction &tx) { native(tx).exec(sql); });
        } catch (const error &failure) {
            return failure.sqlstate();
        }
        return "none";
    }
};

TEST_F(native_test, runs_inside_the_transaction) {
    const auto sum = caller.run({}, [](transaction &tx) {
        tx.exec("UPDATE account SET balance = 5 WHERE id = 1");
        auto &pqxx_tx = native(tx);
        pqxx_tx.exec("UPDATE account SET balance = 6 WHERE id = 2");
        const auto found = pqxx_tx.exec("SELECT sum(balance) FROM account WHERE id <= 2");
        return found[0][0].as<int>();
    });
    EXPECT_EQ(sum, 11);
    EXPECT_EQ(ask().value("SELECT sum(balance) FROM account WHERE id <= 2"), "11");
}

TEST_F(native_test, is_rolled_back_with_the_transaction) {
    EXPECT_THROW(caller.run({},
                            [](transaction &tx) {
                                native(tx).exec("UPDATE account SET balance = 0");
                                throw 1;
                            }),
                 int);
    EXPECT_EQ(ask().value("SELECT sum(balance) FROM account"), "8000");
}

TEST_F(native_test, failures_keep_their_codes_whatever_libpqxx_hides) {
    const auto raise = [](const std::string &code) {
        return "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '" + code + "'; END $$";
    };
    EXPECT_EQ(state_of("INSERT INTO account VALUES (1, 0)"), "23505");
    EXPECT_EQ(state_of("SELECT 1 / 0"), "22012");
    EXPECT_EQ(state_of(raise("LS001")), "LS001");
    EXPECT_EQ(state_of(raise("42501")), "42501");
    EXPECT_EQ(state_of(raise("40002")), "40002");
    EXPECT_EQ(state_of(raise("08P01")), "08P01");
    EXPECT_EQ(state_of("SELECT $$:  40001: $$ || 1 / 0"), "22012");
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(native_test, conflicts_are_tried_again) {
    for (const auto *code : {"40001", "40P01"})
        caller.run(logged(), [&](transaction &tx) {
            if (tx.attempt() == 1)
                native(tx).exec(std::string("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '") +
                                code + "'; END $$");
            native(tx).exec("UPDATE account SET balance = balance + 1 WHERE id = 1");
        });
    EXPECT_EQ(log.codes, (std::vector<std::string>{"40001", "40P01"}));
    EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 1"), "1002");
}

TEST_F(native_test, a_lost_session_is_replaced) {
    caller.run(logged(), [](transaction &tx) {
        native(tx).exec("UPDATE account SET balance = balance + 1 WHERE id = 1");
        if (tx.attempt() == 1)
            native(tx).exec("SELECT pg_terminate_backend(pg_backend_pid())");
    });
    EXPECT_EQ(log.codes, std::vector<std::string>{"57P01"});
    EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 1"), "1001");
}

TEST_F(native_test, a_swallowed_error_is_not_committed) {
    EXPECT_THROW(caller.run(logged(),
                            [](transaction &tx) {
                                native(tx).exec("UPDATE account SET balance = 0 WHERE id = 1");
                                try {
                                    native(tx).exec("INSERT INTO account VALUES (1, 0)");
                                } catch (const pqxx::sql_error &) {
                                }
                            }),
                 poisoned_transaction);
    EXPECT_EQ(ask().value("SELECT balance FROM account WHERE id = 1"), "1000");
}

TEST_F(native_test, libpqxx_usage_and_conversion_errors_pass_through) {
    EXPECT_THROW(caller.run(logged(),
                            [](transaction &tx) {
                                const auto found = native(tx).exec("SELECT 'x'");
                                return found[0][0].as<int>();
                            }),
                 pqxx::conversion_error);
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(native_test, the_deadline_holds_there_too) {
    auto wanted = logged();
    wanted.retry.deadline = 2s;
    try {
        caller.run(wanted, [](transaction &tx) { native(tx).exec("SELECT pg_sleep(3600)"); });
        FAIL() << "it slept to the end";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.why(), gave_up::reason::deadline);
        EXPECT_EQ(failure.sqlstate(), "57014");
    }
}

} // namespace
