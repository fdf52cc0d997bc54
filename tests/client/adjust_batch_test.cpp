// Adjustments in batches, alone and beside transfers, and memos of items.

#include "proxy.hpp"
#include "server.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;

using lines = std::vector<adjust_item>;
using batch = std::vector<transfer_item>;

struct adjust_batch_test : server_test {
    pool sessions{options()};
    client caller{sessions};
    const batch_request together{.ledger = "account"};
    const batch_request apart{.ledger = "account", .atomic = false};

    // "applied 990, refused/LS001 0"
    static std::string told(const adjust_batch_result &result) {
        std::string all;
        for (const auto &item : result.items) {
            all += all.empty() ? "" : ", ";
            all += to_string(item.status);
            all += item.sqlstate.empty() ? "" : "/" + item.sqlstate;
            all += item.balance ? " " + item.balance->text() : "";
        }
        return all;
    }

    std::string journal() {
        return ask().value(
            "SELECT string_agg(concat_ws(' ', coalesce(from_key::text, '-'),"
            " coalesce(to_key::text, '-'), amount, refusal, memo), ', ' ORDER BY entry)"
            " FROM account_journal");
    }
};

TEST_F(adjust_batch_test, takes_the_lines_of_an_order) {
    const lines order{{3, -10, {}, R"({"line": 1})"}, {1, -20}, {3, 30, {}, "[2]"}};
    const auto result = caller.adjust_batch(together, order);
    EXPECT_EQ(told(result), "applied 990, applied 980, applied 1020");
    EXPECT_EQ(result.call.attempts, 1);
    EXPECT_EQ(journal(), R"(3 - 10 {"line": 1}, 1 - 20, - 3 30 [2])");
    EXPECT_EQ(db().violations({result.items[0].id, result.items[1].id, result.items[2].id}), "");
}

TEST_F(adjust_batch_test, refusals_are_results_or_undo_all) {
    lines order{{1, -10}, {2, -1001}, {77, 1}, {3, 5}};
    for (auto &line : order)
        line.id = request_id::make();
    try {
        (void)caller.adjust_batch(together, order);
        FAIL() << "it was booked";
    } catch (const batch_refused &failure) {
        EXPECT_EQ(failure.batch_index(), 1U);
        EXPECT_EQ(failure.sqlstate(), "LS001");
    }
    EXPECT_EQ(db().booked(), 0);
    EXPECT_EQ(told(caller.adjust_batch(apart, order)),
              "applied 990, refused/LS001 1000, refused/LS003, applied 1005");
    EXPECT_EQ(told(caller.adjust_batch(apart, order)),
              "replayed 990, refused/LS012 1000, refused/LS012, replayed 1005");
}

TEST_F(adjust_batch_test, the_same_request_by_each_call) {
    const auto in = request_id::make();
    const auto out = request_id::make();
    (void)caller.adjust_batch(together, lines{{1, 5, in}, {2, -5, out}});
    EXPECT_EQ(caller.adjust({.ledger = "account", .key = 1, .delta = 5, .id = in}).status,
              booking::replayed);
    const auto again = caller.transfer_batch(
        together, batch{{std::nullopt, 1, 5, in}, {2, std::nullopt, 5, out}, {3, 4, 1}});
    EXPECT_EQ(again.items[0].status, booking::replayed);
    EXPECT_EQ(again.items[0].from_balance, std::nullopt);
    EXPECT_EQ(again.items[0].to_balance, amount(1005));
    EXPECT_EQ(again.items[1].status, booking::replayed);
    EXPECT_EQ(again.items[1].from_balance, amount(995));
    EXPECT_EQ(again.items[1].to_balance, std::nullopt);
    EXPECT_EQ(again.items[2].status, booking::applied);
    try {
        (void)caller.adjust_batch(together, lines{{3, 1}, {1, -5, in}});
        FAIL() << "it was booked";
    } catch (const request_id_reused &failure) {
        EXPECT_EQ(failure.batch_index(), 1U);
    }
}

TEST_F(adjust_batch_test, what_is_wrong_in_itself_is_rejected) {
    const auto state_of = [&](const adjust_item &second) {
        try {
            (void)caller.adjust_batch(apart, lines{{1, 1}, second});
            return std::string("none");
        } catch (const rejected &failure) {
            return failure.sqlstate();
        }
    };
    EXPECT_EQ(state_of({1, 0}), "LS007");
    EXPECT_EQ(state_of({1, amount("-0.5")}), "LS007");
    EXPECT_EQ(state_of({1, 1, {}, "not json"}), "22P02");
    EXPECT_THROW((void)caller.adjust_batch(apart, lines{{1, 1, {}, std::string("\"\0\"", 3)}}),
                 std::invalid_argument);
    try {
        (void)caller.transfer_batch(apart, batch{{1, 2, 1}, {std::nullopt, std::nullopt, 1}});
        FAIL() << "it was booked";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "22004");
        EXPECT_EQ(failure.batch_index(), 1U);
    }
    EXPECT_EQ(ask().value("SELECT count(*) FROM account_journal"), "0");
}

TEST_F(adjust_batch_test, keys_of_several_columns_may_be_missing_too) {
    ask().run("CREATE TABLE purse (tenant int, account text, balance bigint NOT NULL,"
              " PRIMARY KEY (tenant, account));"
              "INSERT INTO purse VALUES (7, 'cash', 10), (7, '', 10);"
              "SELECT lockstep.register_ledger('purse')");
    const batch items{
        {{7, "cash"}, {7, ""}, 1}, {std::nullopt, {7, ""}, 2}, {{7, "cash"}, std::nullopt, 3}};
    const auto result = caller.transfer_batch({.ledger = "purse"}, items);
    EXPECT_EQ(result.items[1].to_balance, amount(13));
    EXPECT_EQ(result.items[2].from_balance, amount(6));
    EXPECT_EQ(
        told(caller.adjust_batch({.ledger = "purse"}, lines{{{7, "cash"}, -6}, {{7, ""}, 1}})),
        "applied 0, applied 14");
}

TEST_F(adjust_batch_test, memos_of_transfers_are_kept) {
    (void)caller.transfer_batch(together, batch{{1, 2, 1, {}, R"({"why": "ünïcode ✓"})"},
                                                {2, 3, 2},
                                                {std::nullopt, 3, 3, {}, "null"}});
    EXPECT_EQ(journal(), R"(1 2 1 {"why": "ünïcode ✓"}, 2 3 2, - 3 3 null)");
}

TEST_F(adjust_batch_test, is_part_of_a_callers_own_transaction) {
    EXPECT_THROW(
        caller.run({},
                   [&](transaction &tx) {
                       EXPECT_EQ(told(tx.adjust_batch(together, lines{{1, 1}})), "applied 1001");
                       EXPECT_TRUE(tx.adjust_batch(together, {}).items.empty());
                       throw std::runtime_error("no");
                   }),
        std::runtime_error);
    EXPECT_EQ(db().booked(), 0);
    const auto told_inside = caller.run({}, [&](transaction &tx) {
        return told(tx.adjust_batch(together, lines{{1, 1}}));
    });
    EXPECT_EQ(told_inside, "applied 1001");
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(adjust_batch_test, no_items_need_no_server) {
    auto nobody = options();
    nobody.conninfo = "host=127.0.0.1 port=1";
    pool unreachable(nobody);
    EXPECT_TRUE(client(unreachable).adjust_batch(together, {}).items.empty());
    EXPECT_EQ(unreachable.stats().opened, 0U);
}

// The answer of the commit is lost: the ids find it out, and what was made here is told as applied.
TEST_F(adjust_batch_test, a_lost_answer_is_found_out) {
    bool done = false; // the proxy's thread alone uses it
    proxy between(server_port(), [&done](std::string_view request) {
        if (request != "lockstep_adjust_batch" || std::exchange(done, true))
            return fault::none;
        return fault::cut_after;
    });
    pool through(options_through(between.port(), 1));
    const auto result = client(through).adjust_batch(apart, lines{{1, 1}, {2, -1001}});
    EXPECT_EQ(between.faults_done(), 1);
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(told(result), "applied 1001, refused/LS001 1000");
    EXPECT_EQ(db().booked(), 1);
}

} // namespace
