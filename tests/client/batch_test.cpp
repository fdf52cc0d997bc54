// Batches through the client, without faults: order, refusals, replays, keys, costs.

#include "proxy.hpp"
#include "server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

using batch = std::vector<transfer_item>;

struct batch_test : server_test {
    pool sessions{options()};
    client caller{sessions};
    const batch_request together{.ledger = "account"};
    const batch_request apart{.ledger = "account", .atomic = false};

    // "applied applied refused/LS001"
    static std::string told(const batch_result &result) {
        std::string all;
        for (const auto &item : result.items) {
            all += all.empty() ? "" : " ";
            all += to_string(item.status);
            if (!item.sqlstate.empty())
                all += "/" + item.sqlstate;
        }
        return all;
    }

    static std::vector<request_id> ids_of(const batch_result &result) {
        std::vector<request_id> ids;
        for (const auto &item : result.items)
            ids.push_back(item.id);
        return ids;
    }

    static batch with_ids(batch items) {
        for (auto &item : items)
            item.id = request_id::make();
        return items;
    }

    std::string balance(int row) {
        return ask().value("SELECT balance FROM account WHERE id = " + std::to_string(row));
    }
};

TEST_F(batch_test, moves_every_amount_and_says_what_is_left_after_each) {
    const batch items{{1, 2, 250}, {2, 3, 1250}, {3, 1, 1}, {8, 1, 2}};
    const auto result = caller.transfer_batch(together, items);
    EXPECT_EQ(told(result), "applied applied applied applied");
    ASSERT_EQ(result.items.size(), 4U);
    EXPECT_EQ(result.items[0].from_balance, amount(750));
    EXPECT_EQ(result.items[0].to_balance, amount(1250));
    // Only the first item makes the second one possible.
    EXPECT_EQ(result.items[1].from_balance, amount(0));
    EXPECT_EQ(result.items[1].to_balance, amount(2250));
    EXPECT_EQ(result.items[2].to_balance, amount(751));
    EXPECT_EQ(result.items[3].to_balance, amount(753));
    EXPECT_EQ(result.call.attempts, 1);
    EXPECT_FALSE(result.call.was_in_doubt);
    EXPECT_GT(result.call.elapsed, 0us);
    EXPECT_EQ(db().violations(ids_of(result)), "");
    EXPECT_EQ(db().booked(), 4);
}

TEST_F(batch_test, floors_are_kept_item_by_item) {
    const batch items{{1, 2, 1001}, {3, 1, 500}};
    EXPECT_THROW((void)caller.transfer_batch(together, items), batch_refused);
    EXPECT_EQ(told(caller.transfer_batch(apart, items)), "refused/LS001 applied");
}

TEST_F(batch_test, refusals_are_results_where_items_stand_apart) {
    ask().run("UPDATE account SET balance = 0 WHERE id = 7;"
              "UPDATE account SET balance = 2000 WHERE id = 8");
    const auto items =
        with_ids({{1, 2, 10}, {7, 2, 1}, {1, 77, 1}, {77, 1, 1}, {8, 7, 2000}, {7, 8, 2000}});
    const auto result = caller.transfer_batch(apart, items);
    EXPECT_EQ(told(result), "applied refused/LS001 refused/LS003 refused/LS003 applied applied");
    for (std::size_t i = 0; i < items.size(); ++i)
        EXPECT_EQ(result.items[i].id, items[i].id);
    // They are kept: what was refused once stays so.
    const auto again = caller.transfer_batch(apart, items);
    EXPECT_EQ(told(again), "replayed refused/LS012 refused/LS012 refused/LS012 replayed replayed");
    EXPECT_EQ(again.items[0].from_balance, result.items[0].from_balance);
    EXPECT_EQ(again.items[5].to_balance, result.items[5].to_balance);
    EXPECT_EQ(db().booked(), 3);
    EXPECT_EQ(ask().value("SELECT count(*) FROM account_journal WHERE refusal IS NOT NULL"), "3");
}

TEST_F(batch_test, a_refusal_undoes_the_whole_of_an_atomic_batch) {
    const auto items = with_ids({{1, 2, 10}, {3, 4, 20}, {5, 6, 1001}, {7, 77, 1}});
    try {
        (void)caller.transfer_batch(together, items);
        FAIL() << "it was booked";
    } catch (const batch_refused &failure) {
        EXPECT_EQ(failure.batch_index(), 2U);
        EXPECT_EQ(failure.sqlstate(), "LS001");
        EXPECT_TRUE(failure.detail().starts_with("Item 3 of the batch.")) << failure.detail();
        EXPECT_NE(std::string_view(failure.what()), "");
        EXPECT_EQ(failure.attempts(), 1);
        EXPECT_EQ(failure.phase(), phase::commit);
    }
    EXPECT_EQ(ask().value("SELECT count(*) FROM account_journal"), "0");
    EXPECT_EQ(ask().value("SELECT count(*) FROM account WHERE balance <> 1000"), "0");
    // When things have changed, the same ids are good.
    (void)caller.adjust({.ledger = "account", .key = 5, .delta = 1});
    (void)caller.adjust({.ledger = "account", .key = 8, .delta = -1});
    ask().run("INSERT INTO account VALUES (77, 0)");
    EXPECT_EQ(told(caller.transfer_batch(together, items)), "applied applied applied applied");
}

TEST_F(batch_test, every_kind_of_refusal_is_told_as_one) {
    ask().run("ALTER TABLE account ADD COLUMN frozen boolean NOT NULL DEFAULT false,"
              " ADD COLUMN most bigint, ADD COLUMN unit text;"
              "UPDATE account SET frozen = id = 3, most = CASE id WHEN 4 THEN 1000 END,"
              " unit = CASE id WHEN 5 THEN 'metre' ELSE 'piece' END;"
              "SELECT lockstep.drop_ledger('account');"
              "SELECT lockstep.register_ledger('account', frozen_column => 'frozen',"
              " ceiling_column => 'most', match_columns => '{unit}')");
    const auto kept = request_id::make();
    EXPECT_EQ(told(caller.transfer_batch(apart, batch{{1, 77, 1, kept}})), "refused/LS003");
    const auto refusal_of = [&](const transfer_item &second) {
        try {
            (void)caller.transfer_batch(together, batch{{1, 2, 1}, second});
            return std::string("none");
        } catch (const batch_refused &failure) {
            EXPECT_EQ(failure.batch_index(), 1U);
            return failure.sqlstate();
        }
    };
    EXPECT_EQ(refusal_of({1, 2, 1000}), "LS001");
    EXPECT_EQ(refusal_of({1, 4, 1}), "LS002");
    EXPECT_EQ(refusal_of({1, 77, 1}), "LS003");
    EXPECT_EQ(refusal_of({3, 1, 1}), "LS004");
    EXPECT_EQ(refusal_of({1, 5, 1}), "LS008");
    EXPECT_EQ(refusal_of({1, 77, 1, kept}), "LS012");
    EXPECT_EQ(db().booked(), 0);
}

TEST_F(batch_test, the_same_ids_again_are_replays) {
    const auto items = with_ids({{1, 2, 10}, {2, 3, 20}});
    const auto first = caller.transfer_batch(together, items);
    const auto again = caller.transfer_batch(together, items);
    EXPECT_EQ(told(first), "applied applied");
    EXPECT_EQ(told(again), "replayed replayed");
    for (std::size_t i = 0; i < items.size(); ++i) {
        EXPECT_EQ(again.items[i].from_balance, first.items[i].from_balance);
        EXPECT_EQ(again.items[i].to_balance, first.items[i].to_balance);
    }
    EXPECT_EQ(db().booked(), 2);
}

TEST_F(batch_test, a_batch_and_transfers_know_each_others_ids) {
    const auto single = request_id::make();
    (void)caller.transfer(
        {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 5, .id = single});
    const auto result = caller.transfer_batch(together, batch{{3, 4, 1}, {1, 2, 5, single}});
    EXPECT_EQ(told(result), "applied replayed");
    EXPECT_EQ(caller
                  .transfer({.ledger = "account",
                             .from_key = 3,
                             .to_key = 4,
                             .amount = 1,
                             .id = result.items[0].id})
                  .status,
              booking::replayed);
    EXPECT_EQ(db().booked(), 2);
}

TEST_F(batch_test, an_id_that_comes_twice_is_a_replay_the_second_time) {
    const auto id = request_id::make();
    const auto result =
        caller.transfer_batch(together, batch{{1, 2, 10, id}, {2, 3, 5}, {1, 2, 10, id}});
    EXPECT_EQ(told(result), "applied applied replayed");
    EXPECT_EQ(result.items[2].to_balance, result.items[0].to_balance);
    EXPECT_EQ(db().violations({id, result.items[1].id}), "");
    EXPECT_EQ(db().booked(), 2);
    const auto poor = request_id::make();
    EXPECT_EQ(told(caller.transfer_batch(apart, batch{{1, 2, 5000, poor}, {1, 2, 5000, poor}})),
              "refused/LS001 refused/LS012");
}

TEST_F(batch_test, an_id_for_something_else_is_refused_for_good) {
    const auto id = request_id::make();
    (void)caller.transfer_batch(together, batch{{1, 2, 10, id}});
    for (const auto &request : {together, apart}) {
        try {
            (void)caller.transfer_batch(request, batch{{3, 4, 1}, {1, 2, 11, id}});
            FAIL() << "it was booked";
        } catch (const request_id_reused &failure) {
            EXPECT_EQ(failure.sqlstate(), "LS010");
            EXPECT_EQ(failure.batch_index(), 1U) << failure.detail();
        }
    }
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(batch_test, a_batch_that_is_wrong_in_itself_is_rejected) {
    const auto first = request_id::make();
    const auto state_of = [&](const batch_request &request, const transfer_item &second,
                              bool names_it) {
        try {
            (void)caller.transfer_batch(request, batch{{1, 2, 1, first}, second});
            return std::string("none");
        } catch (const batch_refused &) {
            return std::string("a refusal");
        } catch (const rejected &failure) {
            EXPECT_EQ(failure.attempts(), 1);
            EXPECT_EQ(failure.batch_index() == 1U, names_it) << failure.detail();
            return failure.sqlstate();
        }
    };
    for (const bool atomic : {true, false}) {
        const batch_request account{.ledger = "account", .atomic = atomic};
        EXPECT_EQ(state_of(account, {1, 1, 1}, true), "LS006");
        EXPECT_EQ(state_of(account, {1, 2, 0}, true), "LS007");
        EXPECT_EQ(state_of(account, {1, 2, -5}, true), "LS007");
        EXPECT_EQ(state_of(account, {1, 2, amount("0.5")}, true), "LS007");
        EXPECT_EQ(state_of(account, {1, 2, 2, first}, true), "LS040");
        EXPECT_EQ(state_of(account, {1, 2, amount("99999999999999999999")}, true), "22003");
        EXPECT_EQ(state_of(account, {"x", 2, 1}, false), "22P02");
        EXPECT_EQ(state_of({.ledger = "pg_class", .atomic = atomic}, {1, 2, 1}, false), "LS005");
        EXPECT_EQ(state_of({.ledger = "nowhere", .atomic = atomic}, {1, 2, 1}, false), "42P01");
    }
    EXPECT_THROW((void)caller.transfer_batch(together, batch{{std::string("1\0", 2), 2, 1}}),
                 std::invalid_argument);
    EXPECT_EQ(ask().value("SELECT count(*) FROM account_journal"), "0");
    EXPECT_EQ(db().violations({}), "");
}

TEST_F(batch_test, keys_of_any_text_cross_unchanged) {
    const std::vector<std::string> keys{
        "",          " ",      "NULL", "null", "it's", "a,b",        "{a}",
        "}{",        "\"",     "\\",   "\\\"", "a\\b", "\"quoted\"", "tab\tand\nline",
        "ünïcode ✓", "日本語", "{\"",  ",\",", "$1",   "%s",         "\x01"};
    ask().run("CREATE SCHEMA \"My Shop\";"
              "CREATE TABLE \"My Shop\".\"Stock\" (sku text PRIMARY KEY, qty numeric(20,6));"
              "SELECT lockstep.register_ledger('\"My Shop\".\"Stock\"', amount => 'qty')");
    caller.run({}, [&](transaction &tx) {
        for (const auto &key : keys)
            tx.exec("INSERT INTO \"My Shop\".\"Stock\" VALUES ($1, 12345678901234.000001)", key);
    });
    batch items;
    for (std::size_t i = 0; i < keys.size(); ++i)
        items.push_back({keys[i], keys[(i + 1) % keys.size()], amount("0.000001")});
    const auto result = caller.transfer_batch({.ledger = "\"My Shop\".\"Stock\""}, items);
    for (const auto &item : result.items)
        EXPECT_EQ(item.status, booking::applied);
    // Each key has given once and taken once.
    const auto moved = caller.run({}, [&](transaction &tx) {
        return tx.exec("SELECT from_key, to_key FROM unnest($1::uuid[]) WITH ORDINALITY AS i(id, n)"
                       " JOIN \"My Shop\".\"Stock_journal\" AS j ON j.request_id = i.id ORDER BY n",
                       [&] {
                           std::string ids;
                           for (const auto &item : result.items)
                               ids += (ids.empty() ? "{" : ",") + item.id.to_string();
                           return ids + "}";
                       }());
    });
    ASSERT_EQ(moved.size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(moved[i][0].text(), items[i].from_key.text());
        EXPECT_EQ(moved[i][1].text(), items[i].to_key.text());
    }
    EXPECT_EQ(result.items.back().to_balance->text(), "12345678901234.000001");
}

TEST_F(batch_test, ten_thousand_items_are_one_call) {
    batch items;
    for (int i = 0; i < 10'000; ++i)
        items.push_back({1 + i % 8, 1 + (i + 1) % 8, 1});
    call_options call;
    call.retry.deadline = 60s;
    const auto result = caller.transfer_batch(together, items, call);
    ASSERT_EQ(result.items.size(), items.size());
    for (const auto &item : result.items)
        ASSERT_EQ(item.status, booking::applied);
    EXPECT_EQ(db().booked(), 10'000);
    EXPECT_EQ(db().violations(ids_of(result)), "");
}

TEST_F(batch_test, no_items_need_no_server) {
    auto nobody = options();
    nobody.conninfo = "host=127.0.0.1 port=1";
    pool unreachable(nobody);
    const client alone(unreachable);
    const auto result = alone.transfer_batch(together, {});
    EXPECT_TRUE(result.items.empty());
    EXPECT_EQ(result.call.attempts, 0);
    EXPECT_EQ(unreachable.stats().opened, 0U);
}

TEST_F(batch_test, costs_one_round_trip) {
    proxy between(server_port(), [](std::string_view) { return fault::none; });
    pool through(options_through(between.port(), 1));
    client counted(through);
    const batch items(50, {1, 2, 1});
    (void)counted.transfer_batch(together, items); // connects, sets up, prepares
    const int before = between.round_trips();
    for (int i = 0; i < 5; ++i)
        (void)counted.transfer_batch(together, items);
    EXPECT_EQ(between.round_trips() - before, 5);
}

TEST_F(batch_test, works_at_every_level) {
    std::vector<request_id> ids;
    for (const auto level :
         {isolation::serializable, isolation::repeatable_read, isolation::read_committed}) {
        call_options call;
        call.level = level;
        const auto result = caller.transfer_batch(together, batch{{1, 2, 1}, {2, 1, 1}}, call);
        EXPECT_EQ(told(result), "applied applied");
        const auto more = ids_of(result);
        ids.insert(ids.end(), more.begin(), more.end());
    }
    EXPECT_EQ(db().violations(ids), "");
}

TEST_F(batch_test, is_part_of_a_callers_own_transaction) {
    const auto items = with_ids({{1, 2, 10}, {3, 4, 20}});
    EXPECT_THROW(caller.run({},
                            [&](transaction &tx) {
                                EXPECT_EQ(told(tx.transfer_batch(together, items)),
                                          "applied applied");
                                throw std::runtime_error("no");
                            }),
                 std::runtime_error);
    EXPECT_EQ(db().booked(), 0);
    ask().run("CREATE TABLE receipt (id uuid)");
    const auto result = caller.run({}, [&](transaction &tx) {
        EXPECT_TRUE(tx.transfer_batch(together, {}).items.empty());
        auto moved = tx.transfer_batch(together, items);
        for (const auto &item : moved.items)
            tx.exec("INSERT INTO receipt VALUES ($1)", item.id);
        return moved;
    });
    EXPECT_EQ(told(result), "applied applied");
    EXPECT_EQ(ask().value("SELECT count(*) FROM receipt"), "2");
    EXPECT_EQ(db().violations(ids_of(result)), "");
}

TEST_F(batch_test, a_refusal_undoes_the_callers_own_transaction_too) {
    const auto items = with_ids({{1, 2, 10}, {3, 4, 2000}});
    int runs = 0;
    try {
        caller.run({}, [&](transaction &tx) {
            ++runs;
            tx.exec("CREATE TABLE receipt (id uuid)");
            tx.transfer_batch(together, items);
        });
        FAIL() << "it was committed";
    } catch (const batch_refused &failure) {
        EXPECT_EQ(failure.batch_index(), 1U);
        EXPECT_EQ(failure.sqlstate(), "LS001");
    }
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(ask().value("SELECT to_regclass('receipt') IS NULL"), "t");
    // A savepoint of the caller's own gives it another way out.
    caller.run({}, [&](transaction &tx) {
        tx.exec("SAVEPOINT before");
        try {
            tx.transfer_batch(together, items);
            ADD_FAILURE() << "it was booked";
        } catch (const statement_error &failure) {
            EXPECT_EQ(failure.batch_index(), 1U);
            tx.exec("ROLLBACK TO before");
        }
        EXPECT_EQ(told(tx.transfer_batch(apart, items)), "applied refused/LS001");
    });
    EXPECT_EQ(db().booked(), 1);
}

TEST_F(batch_test, has_no_place_inside_a_callback) {
    EXPECT_THROW(caller.run({},
                            [&](transaction &) {
                                (void)caller.transfer_batch(together, batch{{1, 2, 1}});
                            }),
                 nested_run);
}

TEST_F(batch_test, a_row_that_is_held_too_long_leaves_nothing_behind) {
    ask().run("BEGIN; UPDATE account SET balance = balance WHERE id = 2");
    call_options call;
    call.retry.deadline = 2s;
    EXPECT_THROW((void)caller.transfer_batch(together, batch{{3, 4, 1}, {1, 2, 1}}, call), gave_up);
    ask().run("ROLLBACK");
    EXPECT_EQ(db().booked(), 0);
}

// Four callers send windows of the same intents at once, in both orders: each intent is applied to
// one of them, and replayed to the others.
TEST_F(batch_test, callers_that_race_with_the_same_ids_book_them_once) {
    for (const auto level : {isolation::read_committed, isolation::serializable}) {
        constexpr std::size_t intents = 40, step = 5, size = 20;
        batch all(intents, {1, 2, 1});
        for (std::size_t i = 0; i < intents; ++i)
            all[i] = {1 + i % 8, 1 + (i * 3 + 1) % 8, 1, request_id::make()};
        std::erase_if(all, [](const transfer_item &item) {
            return item.from_key.text() == item.to_key.text();
        });
        std::map<request_id, int> applied;
        std::mutex applied_mutex;
        std::atomic<int> deadlocks = 0;
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                call_options call;
                call.level = level;
                call.retry.deadline = 60s;
                call.retry.on_retry = [&](const retry_event &event) {
                    deadlocks += event.sqlstate == "40P01" ? 1 : 0;
                };
                for (std::size_t begin = 0; begin + size <= all.size(); begin += step) {
                    batch mine(all.begin() + static_cast<std::ptrdiff_t>(begin),
                               all.begin() + static_cast<std::ptrdiff_t>(begin + size));
                    if (t % 2 == 1)
                        std::reverse(mine.begin(), mine.end());
                    const auto result = caller.transfer_batch(t < 2 ? together : apart, mine, call);
                    const std::lock_guard held(applied_mutex);
                    for (const auto &item : result.items) {
                        EXPECT_NE(item.status, booking::refused);
                        applied[item.id] += item.status == booking::applied ? 1 : 0;
                    }
                }
            });
        for (auto &each : threads)
            each.join();
        std::vector<request_id> ids;
        for (const auto &[id, times] : applied) {
            EXPECT_EQ(times, 1);
            ids.push_back(id);
        }
        EXPECT_EQ(deadlocks, 0);
        EXPECT_EQ(db().violations(ids), "");
    }
}

// Batches over the same few rows, in all directions, beside transfers: nothing is lost, and nobody
// deadlocks.
TEST_F(batch_test, many_threads_keep_the_books) {
    for (const auto level : {isolation::read_committed, isolation::serializable}) {
        constexpr std::size_t threads_count = 6, batches = 10, size = 12;
        std::vector<std::vector<request_id>> done(threads_count);
        std::vector<std::thread> threads;
        std::atomic<int> deadlocks = 0;
        pool shared(options(threads_count));
        client many(shared);
        for (std::size_t t = 0; t < threads_count; ++t)
            threads.emplace_back([&, t] {
                call_options call;
                call.level = level;
                call.retry.deadline = 60s;
                call.retry.on_retry = [&](const retry_event &event) {
                    deadlocks += event.sqlstate == "40P01" ? 1 : 0;
                };
                for (std::size_t i = 0; i < batches; ++i) {
                    batch items;
                    for (std::size_t n = 0; n < size; ++n) {
                        const auto from = 1 + (t + i * n) % 8;
                        items.push_back({from, 1 + (from + t + n % 3) % 8, 1});
                        if (items.back().from_key.text() == items.back().to_key.text())
                            items.pop_back();
                    }
                    for (const auto &item : many.transfer_batch(together, items, call).items) {
                        EXPECT_EQ(item.status, booking::applied);
                        done[t].push_back(item.id);
                    }
                    done[t].push_back(many.transfer({.ledger = "account",
                                                     .from_key = 1 + (t + i) % 8,
                                                     .to_key = 1 + (t + i + 3) % 8,
                                                     .amount = 1},
                                                    call)
                                          .id);
                }
            });
        for (auto &each : threads)
            each.join();
        std::vector<request_id> all;
        for (const auto &each : done)
            all.insert(all.end(), each.begin(), each.end());
        EXPECT_EQ(deadlocks, 0);
        EXPECT_EQ(db().violations(all), "");
    }
}

} // namespace
