// Transfers and adjustments through the client, without faults: statuses, refusals, replays, keys,
// costs.

#include "proxy.hpp"
#include "server.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct transfer_test : server_test {
    pool sessions{options()};
    client caller{sessions};
};

TEST_F(transfer_test, moves_an_amount_and_says_what_is_left) {
    const auto before = std::chrono::system_clock::now() - 1s;
    const auto result =
        caller.transfer({.ledger = "account", .from_key = 1, .to_key = 2, .amount = 250});
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(result.sqlstate, "");
    EXPECT_EQ(result.amount, amount(250));
    EXPECT_EQ(result.from_balance, amount(750));
    EXPECT_EQ(result.to_balance, amount(1250));
    ASSERT_TRUE(result.booked_at);
    EXPECT_GT(*result.booked_at, before); // the same machine's clock
    EXPECT_LT(*result.booked_at, std::chrono::system_clock::now() + 1s);
    EXPECT_EQ(result.call.attempts, 1);
    EXPECT_FALSE(result.call.was_in_doubt);
    EXPECT_EQ(db().violations({result.id}), "");
}

TEST_F(transfer_test, adjusts_one_row) {
    const auto in = caller.adjust({.ledger = "account", .key = 3, .delta = 40});
    EXPECT_EQ(in.status, booking::applied);
    EXPECT_EQ(in.balance, amount(1040));
    const auto out = caller.adjust({.ledger = "account", .key = 3, .delta = -1040});
    EXPECT_EQ(out.balance, amount(0));
    EXPECT_EQ(out.delta, amount(-1040));
    EXPECT_EQ(caller.adjust({.ledger = "account", .key = 3, .delta = -1}).sqlstate, "LS001");
    EXPECT_EQ(ask().value("SELECT count(*) FROM lockstep.verify_ledger('account')"), "0");
}

TEST_F(transfer_test, the_same_id_again_is_a_replay) {
    auto request = one_unit();
    request.id = request_id::make();
    const auto first = caller.transfer(request);
    const auto again = caller.transfer(request);
    EXPECT_EQ(first.status, booking::applied);
    EXPECT_EQ(again.status, booking::replayed);
    EXPECT_EQ(again.id, *request.id);
    EXPECT_EQ(again.from_balance, first.from_balance);
    EXPECT_EQ(again.booked_at, first.booked_at);
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(transfer_test, the_same_id_for_something_else_is_refused_for_good) {
    auto request = one_unit();
    request.id = request_id::make();
    (void)caller.transfer(request);
    request.amount = 2;
    try {
        (void)caller.transfer(request);
        FAIL() << "it was booked";
    } catch (const request_id_reused &failure) {
        EXPECT_EQ(failure.sqlstate(), "LS010");
        EXPECT_NE(failure.detail(), "");
        EXPECT_EQ(failure.attempts(), 1);
    }
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(transfer_test, a_refusal_is_a_result_and_is_kept) {
    const transfer_request too_much{
        .ledger = "account", .from_key = 1, .to_key = 2, .amount = 5000, .id = request_id::make()};
    const auto refused = caller.transfer(too_much);
    EXPECT_EQ(refused.status, booking::refused);
    EXPECT_EQ(refused.sqlstate, "LS001");
    EXPECT_EQ(refused.id, *too_much.id);
    const auto again = caller.transfer(too_much);
    EXPECT_EQ(again.status, booking::refused);
    EXPECT_EQ(again.sqlstate, "LS012");
    EXPECT_EQ(
        caller.transfer({.ledger = "account", .from_key = 1, .to_key = 77, .amount = 1}).sqlstate,
        "LS003");
    EXPECT_EQ(db().violations({}), "");
}

TEST_F(transfer_test, a_call_that_is_wrong_in_itself_is_rejected) {
    const auto state_of = [&](const transfer_request &request) {
        try {
            (void)caller.transfer(request);
            return std::string("none");
        } catch (const rejected &failure) {
            EXPECT_EQ(failure.attempts(), 1);
            return failure.sqlstate();
        }
    };
    EXPECT_EQ(state_of({.ledger = "account", .from_key = 1, .to_key = 1, .amount = 1}), "LS006");
    EXPECT_EQ(state_of({.ledger = "account", .from_key = 1, .to_key = 2, .amount = 0}), "LS007");
    EXPECT_EQ(state_of({.ledger = "account", .from_key = 1, .to_key = 2, .amount = amount("0.5")}),
              "LS007");
    EXPECT_EQ(state_of({.ledger = "account", .from_key = "x", .to_key = 2, .amount = 1}), "22P02");
    EXPECT_EQ(state_of({.ledger = "pg_class", .from_key = 1, .to_key = 2, .amount = 1}), "LS005");
    EXPECT_EQ(state_of({.ledger = "nowhere", .from_key = 1, .to_key = 2, .amount = 1}), "42P01");
    EXPECT_EQ(
        state_of(
            {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1, .memo = "not json"}),
        "22P02");
    EXPECT_EQ(db().violations({}), "");
}

TEST_F(transfer_test, keys_amounts_and_memos_of_any_kind_cross_unchanged) {
    ask().run("CREATE SCHEMA \"My Shop\";"
              "CREATE TABLE \"My Shop\".\"Stock\" (sku text PRIMARY KEY, qty numeric(20,6));"
              "INSERT INTO \"My Shop\".\"Stock\" VALUES ('it''s', 12345678901234.000001), ('b', 0);"
              "SELECT lockstep.register_ledger('\"My Shop\".\"Stock\"', amount => 'qty')");
    const auto result = caller.transfer({.ledger = "\"My Shop\".\"Stock\"",
                                         .from_key = "it's",
                                         .to_key = "b",
                                         .amount = amount("0.000001"),
                                         .memo = R"({"why": "ünïcode ✓"})"});
    EXPECT_EQ(result.from_balance->text(), "12345678901234.000000");
    EXPECT_EQ(ask().value("SELECT memo->>'why' FROM \"My Shop\".\"Stock_journal\""), "ünïcode ✓");
}

TEST_F(transfer_test, keys_of_several_columns_are_found) {
    ask().run("CREATE TABLE purse (tenant int, account text, balance bigint NOT NULL,"
              " PRIMARY KEY (tenant, account));"
              "INSERT INTO purse SELECT t, a, 100 FROM generate_series(7, 8) AS t,"
              " unnest(ARRAY['cash', '', 'a, \"b\" (c)', E'back\\\\slash', 'it''s', 'NULL', ' '])"
              " AS a;"
              "SELECT lockstep.register_ledger('purse')");
    const auto moved = caller.transfer(
        {.ledger = "purse", .from_key = {7, "cash"}, .to_key = {8, "cash"}, .amount = 10});
    EXPECT_EQ(moved.from_balance, amount(90));
    EXPECT_EQ(moved.to_balance, amount(110));
    std::vector<transfer_item> items;
    for (const auto *account : {"", "a, \"b\" (c)", "back\\slash", "it's", "NULL", " "}) {
        const auto put =
            caller.adjust({.ledger = "purse", .key = {7, account}, .delta = 1}).balance;
        EXPECT_EQ(put, amount(101)) << account;
        items.push_back(
            {.from_key = {7, account}, .to_key = {std::string("8"), account}, .amount = 1});
    }
    for (const auto &one : caller.transfer_batch({.ledger = "purse"}, items).items)
        EXPECT_EQ(one.to_balance, amount(101));
    EXPECT_EQ(caller.adjust({.ledger = "purse", .key = {7, "nobody"}, .delta = 1}).sqlstate,
              "LS003");
    EXPECT_EQ(ask().value("SELECT count(*) FROM lockstep.verify_ledger('purse')"), "0");
}

TEST_F(transfer_test, an_expected_version_is_checked) {
    ask().run("ALTER TABLE account ADD COLUMN version bigint NOT NULL DEFAULT 5;"
              "SELECT lockstep.drop_ledger('account');"
              "SELECT lockstep.register_ledger('account', version_column => 'version')");
    auto request = one_unit();
    request.expected_from_version = 5;
    EXPECT_EQ(caller.transfer(request).status, booking::applied);
    EXPECT_EQ(caller.transfer(request).sqlstate, "LS030");
    EXPECT_EQ(
        caller.adjust({.ledger = "account", .key = 1, .delta = 1, .expected_version = 6}).status,
        booking::applied);
}

TEST_F(transfer_test, works_at_every_level) {
    std::vector<request_id> ids;
    for (const auto level : {isolation::serializable, isolation::repeatable_read,
                             isolation::read_committed, isolation::serializable}) {
        call_options call;
        call.level = level;
        const auto result = caller.transfer(one_unit(), call);
        EXPECT_EQ(result.status, booking::applied);
        ids.push_back(result.id);
    }
    EXPECT_EQ(db().violations(ids), "");
}

TEST_F(transfer_test, runs_at_the_level_that_was_asked_for) {
    ask().run("CREATE TABLE seen (level text);"
              "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
              " INSERT INTO seen VALUES (current_setting('transaction_isolation'));"
              " RETURN NEW; END $$;"
              "CREATE TRIGGER note BEFORE UPDATE ON account FOR EACH STATEMENT"
              " EXECUTE FUNCTION note()");
    pool one(options(1));
    client on_one_session(one);
    for (const auto level : {isolation::serializable, isolation::read_committed}) {
        call_options call;
        call.level = level;
        (void)on_one_session.adjust({.ledger = "account", .key = 1, .delta = 1}, call);
    }
    EXPECT_EQ(ask().value("SELECT string_agg(DISTINCT level, ', ' ORDER BY level) FROM seen"),
              "read committed, serializable");
}

TEST_F(transfer_test, costs_one_round_trip) {
    proxy between(server_port(), [](std::string_view) { return fault::none; });
    pool through(options_through(between.port(), 1));
    client counted(through);
    (void)counted.transfer(one_unit()); // connects, sets up, prepares
    const int before = between.round_trips();
    for (int i = 0; i < 5; ++i)
        (void)counted.transfer(one_unit());
    EXPECT_EQ(between.round_trips() - before, 5);
}

TEST_F(transfer_test, is_part_of_a_callers_own_transaction) {
    const auto id = request_id::make();
    EXPECT_THROW(caller.run({},
                            [&](transaction &tx) {
                                auto request = one_unit();
                                request.id = id;
                                EXPECT_EQ(tx.transfer(request).status, booking::applied);
                                throw std::runtime_error("no");
                            }),
                 std::runtime_error);
    EXPECT_EQ(db().booked(), 0);
    const auto result = caller.run({}, [&](transaction &tx) {
        tx.exec("CREATE TABLE receipt (id uuid)");
        auto request = one_unit();
        request.id = id;
        auto moved = tx.transfer(request);
        tx.exec("INSERT INTO receipt VALUES ($1)", moved.id);
        (void)tx.adjust({.ledger = "account", .key = 3, .delta = 5});
        (void)tx.adjust({.ledger = "account", .key = 4, .delta = -5});
        return moved;
    });
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(ask().value("SELECT id FROM receipt"), id.to_string());
    EXPECT_EQ(db().violations({id}), "");
}

TEST_F(transfer_test, a_row_that_is_held_too_long_leaves_nothing_behind) {
    ask().run("BEGIN; UPDATE account SET balance = balance WHERE id = 2");
    call_options call;
    call.retry.deadline = 2s;
    try {
        (void)caller.transfer(one_unit(), call);
        FAIL() << "the row was free";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.why(), gave_up::reason::deadline);
    }
    ask().run("ROLLBACK");
    ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND"
                     " datname = current_database() AND pid <> pg_backend_pid()",
                     "0");
    EXPECT_EQ(db().booked(), 0);
}

TEST_F(transfer_test, goes_on_after_the_extension_was_installed_anew) {
    (void)caller.transfer(one_unit());
    ask().run("DROP EXTENSION lockstep CASCADE; DROP TABLE account_journal;"
              "UPDATE account SET balance = 1000; CREATE EXTENSION lockstep;"
              "SELECT lockstep.register_ledger('account')");
    const auto result = caller.transfer(one_unit());
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(db().violations({result.id}), "");
}

TEST_F(transfer_test, a_server_without_the_extension_is_told_at_once) {
    ask().run("DROP EXTENSION lockstep CASCADE");
    try {
        (void)caller.transfer(one_unit());
        FAIL() << "there was one";
    } catch (const rejected &failure) {
        // The function is missing, or its schema too.
        EXPECT_TRUE(failure.sqlstate() == "42883" || failure.sqlstate() == "3F000");
    }
}

// Everyone moves between the same few rows, in both directions: nothing is lost, and nobody
// deadlocks.
TEST_F(transfer_test, many_threads_keep_the_books) {
    for (const auto level : {isolation::read_committed, isolation::serializable}) {
        std::vector<std::vector<request_id>> done(8);
        std::vector<std::thread> threads;
        std::atomic<int> deadlocks = 0;
        pool shared(options(8));
        client many(shared);
        for (std::size_t t = 0; t < done.size(); ++t)
            threads.emplace_back([&, t] {
                call_options call;
                call.level = level;
                call.retry.deadline = 60s;
                call.retry.on_retry = [&](const retry_event &event) {
                    deadlocks += event.sqlstate == "40P01" ? 1 : 0;
                };
                for (int i = 0; i < 40; ++i) {
                    const auto from = 1 + (t + static_cast<std::size_t>(i)) % 3;
                    const auto to = 1 + (from + static_cast<std::size_t>(i) % 2) % 3;
                    const auto result = many.transfer(
                        {.ledger = "account", .from_key = from, .to_key = to, .amount = 1}, call);
                    EXPECT_EQ(result.status, booking::applied);
                    done[t].push_back(result.id);
                }
            });
        for (auto &each : threads)
            each.join();
        std::vector<request_id> all;
        for (const auto &each : done)
            all.insert(all.end(), each.begin(), each.end());
        EXPECT_EQ(all.size(), 320U);
        EXPECT_EQ(deadlocks, 0);
        EXPECT_EQ(db().violations(all), "");
    }
}

} // namespace
