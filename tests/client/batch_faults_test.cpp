// Faults at every point of a batch, at READ COMMITTED and SERIALIZABLE: each item is applied
// exactly once, all of an atomic batch or none, and the caller hears the outcome of its own call.

#include "exactly_once.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

constexpr const char *statement = "lockstep_transfer_batch";

struct batch_faults : fault_test {
    static constexpr int size = 20;
    const std::vector<transfer_item> units = std::vector<transfer_item>(size, {1, 2, 1});
    const batch_request together{.ledger = "account"};
    const batch_request apart{.ledger = "account", .atomic = false};

    static std::vector<request_id> ids_of(const batch_result &result) {
        std::vector<request_id> ids;
        for (const auto &item : result.items)
            ids.push_back(item.id);
        return ids;
    }

    void expect_applied_once(const batch_result &result) {
        EXPECT_TRUE(result.call.was_in_doubt);
        ASSERT_EQ(result.items.size(), units.size());
        for (int i = 0; i < size; ++i) {
            const auto &item = result.items[static_cast<std::size_t>(i)];
            EXPECT_EQ(item.status, booking::applied);
            EXPECT_EQ(item.to_balance, amount(1001 + i));
        }
        EXPECT_EQ(not_exactly_once(db(), ids_of(result), size), "");
    }

    void expect_right(fault what) {
        int before = 0;
        for (const auto &request : {together, apart}) {
            proxy between(server_port(), once(what, statement));
            pool sessions(options_through(between.port()));
            client caller(sessions);
            const auto result = caller.transfer_batch(request, units, call());
            EXPECT_EQ(between.faults_done(), 1);
            EXPECT_EQ(result.call.attempts, 2);
            EXPECT_TRUE(result.call.was_in_doubt);
            for (const auto &item : result.items)
                EXPECT_EQ(item.status, booking::applied);
            EXPECT_EQ(not_exactly_once(db(), ids_of(result), before += size), "");
        }
    }
};

INSTANTIATE_TEST_SUITE_P(levels, batch_faults,
                         ::testing::Values(isolation::read_committed, isolation::serializable),
                         ::testing::PrintToStringParamName());

TEST_P(batch_faults, link_cut_before_the_request_arrives) {
    expect_right(fault::cut_before);
}

TEST_P(batch_faults, link_cut_after_the_server_has_committed) {
    expect_right(fault::cut_after);
}

TEST_P(batch_faults, request_lost_while_the_servers_side_stays_open) {
    expect_right(fault::swallow);
}

TEST_P(batch_faults, client_cut_off_while_the_server_goes_on) {
    for (const bool atomic : {true, false}) {
        ledger_database other(shared_server());
        gate at_commit(other, gate::place::commit);
        proxy between(server_port(), once(fault::drop_client, statement));
        auto where = options();
        where.conninfo = other.conninfo(between.port());
        pool sessions(where);
        client caller(sessions);
        std::optional<batch_result> result;
        std::jthread calling([&] {
            result = caller.transfer_batch({.ledger = "account", .atomic = atomic}, units, call());
        });
        at_commit.wait_for_arrival();
        // The second attempt of an atomic batch waits outside: the server is asked again and again.
        // The other one stands in the server, behind the first id.
        if (atomic) {
            const int before = between.round_trips();
            while (between.round_trips() < before + 5)
                std::this_thread::yield();
        } else {
            other.ask().wait_until(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'lockstep' AND wait_event_type = 'Lock'",
                "2");
        }
        at_commit.open();
        calling.join();
        EXPECT_TRUE(result->call.was_in_doubt);
        for (const auto &item : result->items)
            EXPECT_EQ(item.status, booking::applied);
        EXPECT_EQ(not_exactly_once(other, ids_of(*result), size), "");
    }
}

TEST_P(batch_faults, backend_killed_before_the_commit) {
    gate at_statement(db(), gate::place::statement);
    pool sessions(options());
    client caller(sessions);
    std::optional<batch_result> result;
    std::jthread calling([&] { result = caller.transfer_batch(together, units, call()); });
    end_backend(at_statement.wait_for_arrival());
    at_statement.open();
    calling.join();
    EXPECT_EQ(log.codes.front(), "57P01");
    expect_applied_once(*result);
}

TEST_P(batch_faults, backend_killed_at_the_commit) {
    gate at_commit(db(), gate::place::commit);
    pool sessions(options());
    client caller(sessions);
    std::optional<batch_result> result;
    std::jthread calling([&] { result = caller.transfer_batch(apart, units, call()); });
    end_backend(at_commit.wait_for_arrival());
    at_commit.open();
    calling.join();
    EXPECT_EQ(log.codes.front(), "57P01");
    expect_applied_once(*result);
}

TEST_P(batch_faults, the_callers_own_ids_are_told_as_the_journal_has_them) {
    proxy between(server_port(), once(fault::cut_after, statement));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto items = units;
    items[3].id = request_id::make();
    const auto result = caller.transfer_batch(together, items, call());
    for (std::size_t i = 0; i < items.size(); ++i)
        EXPECT_EQ(result.items[i].status, i == 3 ? booking::replayed : booking::applied);
    EXPECT_EQ(result.items[3].id, items[3].id);
    EXPECT_EQ(not_exactly_once(db(), ids_of(result), size), "");
}

TEST_P(batch_faults, refusals_whose_answer_was_lost_are_told_with_their_reasons) {
    proxy between(server_port(), once(fault::cut_after, statement));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    const auto twice = request_id::make();
    const std::vector<transfer_item> items{
        {1, 2, 5000, twice}, {1, 2, 1}, {1, 77, 1}, {1, 2, 5000, twice}};
    const auto result = caller.transfer_batch(apart, items, call());
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(result.items[0].sqlstate, "LS001");
    EXPECT_EQ(result.items[1].status, booking::applied);
    EXPECT_EQ(result.items[2].sqlstate, "LS003");
    EXPECT_EQ(result.items[3].sqlstate, "LS012");
    EXPECT_EQ(not_exactly_once(db(), {result.items[1].id}, 1), "");
}

// The first request may still be on its way to a session that is open: nobody may say "refused"
// while it could find more money than the second one has found.
TEST_P(batch_faults, a_refusal_is_believed_when_the_lost_session_has_ended) {
    for (const auto what : {fault::cut_before, fault::cut_after, fault::swallow}) {
        proxy between(server_port(), once(what, statement));
        pool sessions(options_through(between.port()));
        client caller(sessions);
        std::vector<transfer_item> items{{3, 4, 1}, {1, 2, 5000}};
        for (auto &item : items)
            item.id = request_id::make();
        try {
            (void)caller.transfer_batch(together, items, call());
            FAIL() << "it was booked";
        } catch (const batch_refused &failure) {
            EXPECT_EQ(failure.batch_index(), 1U);
            EXPECT_EQ(failure.attempts(), 2);
        }
        EXPECT_EQ(between.faults_done(), 1);
        EXPECT_EQ(ask().value("SELECT count(*) FROM pg_stat_activity WHERE datname ="
                              " current_database() AND application_name = 'lockstep'"),
                  "1");
        EXPECT_EQ(ask().value("SELECT count(*) FROM account_journal"), "0");
    }
}

TEST_P(batch_faults, past_the_deadline_it_stays_in_doubt_and_the_ids_settle_it) {
    proxy between(server_port(), once(fault::hold_answer, statement));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto impatient = call();
    impatient.retry.deadline = 3s; // a slow machine has booked it by then
    std::vector<request_id> ids;
    try {
        (void)caller.transfer_batch(together, units, impatient);
        FAIL() << "the answer came";
    } catch (const in_doubt &failure) {
        ids = failure.ids();
        EXPECT_FALSE(failure.id());
        EXPECT_EQ(failure.phase(), phase::commit);
    }
    ASSERT_EQ(ids.size(), units.size());
    auto again = units;
    for (std::size_t i = 0; i < again.size(); ++i)
        again[i].id = ids[i];
    const auto result = caller.transfer_batch(together, again, call());
    for (const auto &item : result.items)
        EXPECT_EQ(item.status, booking::replayed);
    EXPECT_EQ(not_exactly_once(db(), ids, size), "");
}

TEST_P(batch_faults, a_later_final_error_does_not_hide_the_doubt) {
    proxy between(server_port(), once(fault::cut_after, statement));
    pool sessions(options_through(between.port()));
    client caller(sessions);
    auto wanted = call();
    bool moved = false;
    wanted.retry.on_retry = [&](const retry_event &) {
        if (!std::exchange(moved, true))
            ask().run("ALTER FUNCTION lockstep.transfer_batch RENAME TO moved_away");
    };
    try {
        (void)caller.transfer_batch(together, units, wanted);
        FAIL() << "it was booked";
    } catch (const in_doubt &failure) {
        EXPECT_EQ(failure.sqlstate(), "42883");
        EXPECT_EQ(failure.ids().size(), units.size());
    }
    EXPECT_EQ(not_exactly_once(db(), {}, size), "");
}

// Random faults on six of ten batches.
TEST_P(batch_faults, every_item_is_applied_once_whatever_happens) {
    constexpr int threads = 4, batches = 12, each_size = 10;
    proxy between(server_port(), at_random(statement));
    pool sessions(options_through(between.port(), threads));
    client caller(sessions);
    std::mutex done_mutex;
    std::vector<request_id> done;
    std::vector<std::thread> running;
    running.reserve(threads);
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            for (int i = 0; i < batches; ++i) {
                const auto result = caller.transfer_batch(
                    (t + i) % 2 == 0 ? together : apart,
                    std::vector<transfer_item>(each_size, {1, 2, 1}), patient());
                const std::lock_guard held(done_mutex);
                for (const auto &item : result.items) {
                    EXPECT_EQ(item.status, booking::applied);
                    done.push_back(item.id);
                }
            }
        });
    for (auto &each : running)
        each.join();
    EXPECT_GT(between.faults_done(), threads * batches / 4);
    wait_for_quiet();
    EXPECT_EQ(not_exactly_once(db(), done, threads * batches * each_size), "");
}

} // namespace
