// Movements that are committed with those of others, without faults: statuses, refusals, replays,
// one leg, costs. Here the server does not have lockstep in shared_preload_libraries, and commits
// each by itself; submit_faults_test.cpp has one that does.

#include "proxy.hpp"
#include "server.hpp"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct submit_test : server_test {
    const submit_request unit{.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1};
    pool sessions{options()};
    client caller{sessions};
};

TEST_F(submit_test, moves_an_amount_and_says_what_is_left) {
    const auto before = std::chrono::system_clock::now() - 1s;
    const auto result = caller.submit(
        {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 250, .memo = R"({"a": 1})"});
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(result.sqlstate, "");
    EXPECT_EQ(result.amount, amount(250));
    EXPECT_EQ(result.from_balance, amount(750));
    EXPECT_EQ(result.to_balance, amount(1250));
    ASSERT_TRUE(result.booked_at);
    EXPECT_GT(*result.booked_at, before); // the same machine's clock
    EXPECT_LT(*result.booked_at, std::chrono::system_clock::now() + 1s);
    EXPECT_EQ(result.group_size, 1);
    EXPECT_EQ(result.call.attempts, 1);
    EXPECT_FALSE(result.call.was_in_doubt);
    EXPECT_EQ(ask().value("SELECT memo->>'a' FROM account_journal"), "1");
    EXPECT_EQ(db().violations({result.id}), "");
}

TEST_F(submit_test, the_same_id_again_is_a_replay) {
    auto request = unit;
    request.id = request_id::make();
    const auto first = caller.submit(request);
    const auto again = caller.submit(request);
    EXPECT_EQ(first.status, booking::applied);
    EXPECT_EQ(again.status, booking::replayed);
    EXPECT_EQ(again.id, *request.id);
    EXPECT_EQ(again.from_balance, first.from_balance);
    EXPECT_EQ(again.booked_at, first.booked_at);
    // One journal for all calls.
    EXPECT_EQ(
        caller
            .transfer(
                {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1, .id = request.id})
            .booked_at,
        first.booked_at);
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(submit_test, a_refusal_is_a_result_and_is_kept) {
    auto too_much = unit;
    too_much.amount = 5000;
    too_much.id = request_id::make();
    const auto refused = caller.submit(too_much);
    EXPECT_EQ(refused.status, booking::refused);
    EXPECT_EQ(refused.sqlstate, "LS001");
    EXPECT_EQ(refused.id, *too_much.id);
    EXPECT_EQ(refused.amount, amount(5000));
    EXPECT_EQ(refused.from_balance, amount(1000));
    EXPECT_EQ(caller.submit(too_much).sqlstate, "LS012");
    auto nobody = unit;
    nobody.to_key = 77;
    EXPECT_EQ(caller.submit(nobody).sqlstate, "LS003");
    EXPECT_EQ(db().violations({}), "");
}

TEST_F(submit_test, a_call_that_is_wrong_in_itself_is_rejected) {
    const auto state_of = [&](const submit_request &request) {
        try {
            (void)caller.submit(request);
            return std::string("none");
        } catch (const rejected &failure) {
            EXPECT_EQ(failure.attempts(), 1);
            return failure.sqlstate();
        }
    };
    EXPECT_EQ(state_of({.ledger = "account", .from_key = 1, .to_key = 1, .amount = 1}), "LS006");
    EXPECT_EQ(state_of({.ledger = "account", .from_key = 1, .to_key = 2, .amount = 0}), "LS007");
    EXPECT_EQ(
        state_of(
            {.ledger = "account", .from_key = std::nullopt, .to_key = std::nullopt, .amount = 1}),
        "22004");
    EXPECT_EQ(state_of({.ledger = "pg_class", .from_key = 1, .to_key = 2, .amount = 1}), "LS005");
    auto request = unit;
    request.id = request_id::make();
    (void)caller.submit(request);
    request.amount = 2;
    EXPECT_THROW((void)caller.submit(request), request_id_reused);
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(submit_test, without_one_of_the_keys_it_is_an_adjustment) {
    const auto in =
        caller.submit({.ledger = "account", .from_key = std::nullopt, .to_key = 3, .amount = 40});
    EXPECT_EQ(in.status, booking::applied);
    EXPECT_FALSE(in.from_balance);
    EXPECT_EQ(in.to_balance, amount(1040));
    const auto out =
        caller.submit({.ledger = "account", .from_key = 3, .to_key = std::nullopt, .amount = 1030});
    EXPECT_EQ(out.from_balance, amount(10));
    EXPECT_FALSE(out.to_balance);
    const auto rest = caller.submit({.ledger = "account",
                                     .from_key = 3,
                                     .to_key = std::nullopt,
                                     .amount = 1030,
                                     .at_most = true});
    EXPECT_EQ(rest.amount, amount(10));
    EXPECT_EQ(rest.from_balance, amount(0));
    EXPECT_EQ(ask().value("SELECT count(*) FROM lockstep.verify_ledger('account')"), "0");
}

TEST_F(submit_test, keys_amounts_and_times_do_not_depend_on_settings) {
    ask().run("CREATE TABLE purse (tenant int, account text, balance numeric(20,6) NOT NULL,"
              " PRIMARY KEY (tenant, account));"
              "INSERT INTO purse VALUES (7, 'it''s', 12345678901234.000001), (8, '', 0);"
              "SELECT lockstep.register_ledger('purse')");
    auto abroad = options(1);
    abroad.settings = {{"DateStyle", "German, DMY"}, {"TimeZone", "Asia/Kolkata"}};
    pool one(abroad);
    const auto result = client(one).submit({.ledger = "purse",
                                            .from_key = {7, "it's"},
                                            .to_key = {8, ""},
                                            .amount = amount("0.000001")});
    EXPECT_EQ(result.from_balance->text(), "12345678901234.000000");
    EXPECT_EQ(result.to_balance->text(), "0.000001");
    EXPECT_EQ(std::to_string(result.booked_at->time_since_epoch().count()),
              ask().value("SELECT (extract(epoch FROM booked_at) * 1000000)::bigint"
                          " FROM purse_journal"));
}

TEST_F(submit_test, costs_one_round_trip) {
    proxy between(server_port(), [](std::string_view) { return fault::none; });
    pool through(options_through(between.port(), 1));
    client counted(through);
    (void)counted.submit(unit); // connects, sets up, prepares
    const int before = between.round_trips();
    for (int i = 0; i < 5; ++i)
        (void)counted.submit(unit);
    EXPECT_EQ(between.round_trips() - before, 5);
}

// The server would say so, each time, if the session's level were another one.
TEST_F(submit_test, works_at_read_committed_whatever_the_session_was_used_for) {
    auto wanted = options(1);
    std::vector<std::string> notices;
    wanted.on_notice = [&](std::string_view message) { notices.emplace_back(message); };
    pool one(wanted);
    client on_one_session(one);
    (void)on_one_session.adjust({.ledger = "account", .key = 3, .delta = 1},
                                {.level = isolation::serializable});
    (void)on_one_session.submit(unit);
    EXPECT_THAT(notices, ::testing::IsEmpty());
}

template <class Transaction>
concept can_submit = requires(Transaction &tx, const submit_request &request) {
    tx.submit(request);
};

TEST_F(submit_test, has_no_place_inside_a_transaction) {
    static_assert(can_submit<client> && !can_submit<transaction>);
    EXPECT_THROW(caller.run({}, [&](transaction &) { (void)caller.submit(unit); }), nested_run);
    try {
        caller.run({},
                   [](transaction &tx) { tx.exec("CALL lockstep.submit('account', 1, 2, 1)"); });
        FAIL() << "it was booked";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "25001");
    }
    EXPECT_EQ(db().booked(), 0);
}

TEST_F(submit_test, a_row_that_is_held_too_long_leaves_nothing_behind) {
    ask().run("BEGIN; UPDATE account SET balance = balance WHERE id = 2");
    try {
        (void)caller.submit(unit, {.deadline = 2s});
        FAIL() << "the row was free";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.why(), gave_up::reason::deadline);
    }
    ask().run("ROLLBACK");
    EXPECT_EQ(db().booked(), 0);
}

} // namespace
