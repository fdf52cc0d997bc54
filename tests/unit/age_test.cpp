// Transaction ages: ids on one line, who holds which horizon and what ending him frees, how bad
// that is, and the page that says so.
#include "core/age/advice.hpp"
#include "core/age/audit.hpp"
#include "core/age/horizons.hpp"
#include "core/age/judge.hpp"
#include "core/age/xids.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace lockstep::age;
using lockstep::graph::activity;
using lockstep::testing::dice;
using lockstep::testing::random_seed;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;

TEST(Xids, HaveAgesAcrossEachBoundary) {
    constexpr std::int64_t half = std::int64_t{1} << 31;
    constexpr std::int64_t whole = std::int64_t{1} << 32;
    for (const std::int64_t next :
         {std::int64_t{5}, half - 1, half, half + 1, half + 1000, whole - 1, whole, whole + 3,
          whole + 1000, whole + half, 5 * whole + 17})
        for (const std::int64_t age : {0, 1, 2, 1000, 2'000'000'000}) {
            const auto xid = static_cast<std::uint32_t>(next - age);
            if (xid < first_normal_xid)
                continue;
            const xid_place place = place_of(xid, next);
            EXPECT_EQ(age_of(place, next), age) << "next " << next;
            EXPECT_EQ(place, next - age) << "next " << next;
        }
}

TEST(Xids, PermanentOnesHaveNone) {
    for (const std::uint32_t xid : {0U, 1U, 2U}) {
        EXPECT_EQ(place_of(xid, 1000), nowhere);
        EXPECT_EQ(age_of(place_of(xid, 1000), 1000), std::nullopt);
    }
    EXPECT_EQ(age_of(place_of(3, 1000), 1000), 997);
}

horizon_holder of_database(std::uint32_t database, xid_place xid, xid_place xmin,
                           holder_kind kind = holder_kind::idle_in_xact) {
    horizon_holder made;
    made.kind = kind;
    made.reaches = reach::database;
    made.database = database;
    made.xid = xid;
    made.xmin = xmin;
    made.is_fleeting = kind == holder_kind::active;
    return made;
}

horizon_holder of_slot(xid_place xmin, xid_place catalog_xmin) {
    horizon_holder made;
    made.kind = xmin == nowhere ? holder_kind::slot_logical : holder_kind::slot_physical;
    made.reaches = xmin == nowhere ? reach::catalogs : reach::everything;
    made.xmin = xmin;
    made.catalog_xmin = catalog_xmin;
    return made;
}

std::string names(const holding &one) {
    std::string text;
    for (const horizon &line : one.oldest_for) {
        constexpr const char *words[] = {"data", "catalogs", "shared", "subtrans"};
        text += (text.empty() ? "" : " ") + std::string{words[static_cast<int>(line.kind)]};
        if (line.database != 0)
            text += std::to_string(line.database);
    }
    return text;
}

TEST(Horizons, TheOldestOfADatabaseHoldsIt) {
    const std::vector<horizon_holder> holders{
        of_database(1, nowhere, 100), of_database(1, nowhere, 300), of_database(2, nowhere, 200)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "data1 catalogs1 shared subtrans");
    EXPECT_EQ(found[0].gain, 200); // up to 300 in database 1; shared catalogs go up to 200 alone
    EXPECT_EQ(names(found[1]), "");
    EXPECT_EQ(found[1].gain, 0);
    EXPECT_EQ(names(found[2]), "data2 catalogs2");
    EXPECT_EQ(found[2].gain, 800);
}

TEST(Horizons, TwoAtOnePlaceMustGoTogether) {
    const std::vector<horizon_holder> holders{of_database(1, nowhere, 100),
                                              of_database(1, nowhere, 100)};
    const auto found = holdings_of(holders, 1000);
    for (const holding &one : found) {
        EXPECT_EQ(names(one), "data1 catalogs1 shared subtrans");
        EXPECT_EQ(one.gain, 0);
    }
}

TEST(Horizons, TheLookItselfHoldsNothing) {
    horizon_holder look = of_database(1, nowhere, 100, holder_kind::active);
    look.is_look = true;
    const std::vector<horizon_holder> holders{look, of_database(2, 100, nowhere),
                                              of_database(1, nowhere, 300)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "");
    EXPECT_EQ(names(found[1]), "data2 catalogs2 shared subtrans");
    EXPECT_EQ(names(found[2]), "data1 catalogs1");
    EXPECT_EQ(found[2].gain, 700);
}

TEST(Horizons, ALogicalSlotHoldsCatalogsAlone) {
    const std::vector<horizon_holder> holders{of_slot(nowhere, 50), of_database(1, nowhere, 100)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "catalogs catalogs1 shared subtrans");
    EXPECT_TRUE(found[0].has_all_catalogs);
    EXPECT_FALSE(found[0].has_all_data);
    EXPECT_EQ(found[0].gain, 950); // catalogs of the databases that nobody is in
    EXPECT_EQ(names(found[1]), "data1");
    EXPECT_EQ(found[1].gain, 900);
}

TEST(Horizons, FeedbackHoldsEveryDatabase) {
    const std::vector<horizon_holder> holders{of_slot(50, nowhere), of_database(1, nowhere, 40)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "data catalogs");
    EXPECT_FALSE(found[0].has_all_data);
    EXPECT_EQ(names(found[1]), "data1 catalogs1 shared subtrans");
    EXPECT_EQ(found[1].gain, 10);
}

TEST(Horizons, AVacuumIsNotAccused) {
    horizon_holder vacuum = of_database(1, nowhere, 10, holder_kind::vacuum);
    vacuum.reaches = reach::subtrans_only;
    const std::vector<horizon_holder> holders{vacuum, of_database(1, nowhere, 100)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "subtrans");
    EXPECT_EQ(found[0].gain, 0);
    EXPECT_EQ(found[1].gain, 900);
}

TEST(Horizons, AnEchoIsItsTransactionsFault) {
    // Transaction 100 runs in database 1; statements there and in database 2 repeat it.
    const std::vector<horizon_holder> holders{of_database(1, 100, nowhere),
                                              of_database(1, nowhere, 100, holder_kind::active),
                                              of_database(2, nowhere, 100, holder_kind::active),
                                              of_database(2, nowhere, 700, holder_kind::active)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(names(found[0]), "data1 data2 catalogs1 catalogs2 shared subtrans");
    EXPECT_EQ(found[0].gain, 900); // data of database 1
    EXPECT_EQ(found[1].echo_of, 0);
    EXPECT_EQ(found[2].echo_of, 0);
    EXPECT_EQ(names(found[2]), "");
    EXPECT_EQ(found[3].echo_of, -1);
}

TEST(Horizons, WhatHoldsNoRowsAnswersForNobody) {
    // A vacuum that has an id, to log a lock; the snapshot beside it holds the rows.
    horizon_holder vacuum = of_database(1, 100, nowhere, holder_kind::vacuum);
    vacuum.reaches = reach::subtrans_only;
    const std::vector<horizon_holder> holders{vacuum,
                                              of_database(1, nowhere, 100, holder_kind::active)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(found[1].echo_of, -1);
    EXPECT_EQ(found[1].gain, 900);
    EXPECT_EQ(found[0].gain, 0);
    EXPECT_EQ(names(found[0]), "subtrans");
}

TEST(Horizons, ASnapshotRepeatsNothingThatBeganLater) {
    std::vector<horizon_holder> holders{of_database(1, 100, nowhere),
                                        of_database(1, nowhere, 100, holder_kind::active)};
    holders[0].began_by = 50;
    holders[1].snapshot_from = 50;
    EXPECT_EQ(holdings_of(holders, 1000)[1].echo_of, -1);
    holders[1].snapshot_from = 51;
    EXPECT_EQ(holdings_of(holders, 1000)[1].echo_of, 0);
}

TEST(Horizons, AnOlderCatalogXminIsNoEcho) {
    horizon_holder slot = of_slot(100, 60);
    slot.is_fleeting = true;
    const std::vector<horizon_holder> holders{of_database(1, 100, nowhere), slot};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(found[1].echo_of, -1);
    EXPECT_EQ(found[1].gain, 940); // catalogs of the databases that nobody is in
}

TEST(Horizons, AnIdleSnapshotIsNoEcho) {
    // It would stay when the transaction ends: both must go.
    const std::vector<horizon_holder> holders{of_database(1, 100, nowhere),
                                              of_database(1, nowhere, 100)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(found[1].echo_of, -1);
    EXPECT_EQ(found[0].gain, 0);
    EXPECT_EQ(found[1].gain, 0);
}

TEST(Horizons, AnEchoWithATransactionKeepsThat) {
    // When 100 has ended, the echo still holds its own 400.
    const std::vector<horizon_holder> holders{of_database(1, 100, nowhere),
                                              of_database(1, 400, 100, holder_kind::active)};
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(found[0].gain, 300);
}

TEST(Horizons, AParallelQueryIsOne) {
    std::vector<horizon_holder> holders{of_database(1, nowhere, 100, holder_kind::active),
                                        of_database(1, nowhere, 100, holder_kind::parallel_worker),
                                        of_database(1, nowhere, 100, holder_kind::parallel_worker)};
    for (horizon_holder &one : holders)
        one.group = 0;
    const auto found = holdings_of(holders, 1000);
    EXPECT_EQ(found[0].gain, 900);
    EXPECT_EQ(names(found[0]), "data1 catalogs1 shared subtrans");
    EXPECT_EQ(found[1].gain, 0);
    EXPECT_EQ(names(found[1]), "");
}

TEST(Horizons, NobodyHoldsAnything) {
    EXPECT_TRUE(holdings_of({}, 1000).empty());
    for (const horizon &line : horizons_of({}))
        EXPECT_EQ(line.at, nowhere);
    const std::vector<horizon_holder> holders{horizon_holder{}};
    EXPECT_EQ(names(holdings_of(holders, 1000)[0]), "");
}

std::vector<horizon_holder> random_holders(dice &random) {
    std::vector<horizon_holder> holders(static_cast<std::size_t>(random.between(1, 12)));
    const auto place = [&] { return random.percent(30) ? nowhere : 100 + random.below(12) * 10; };
    for (std::size_t i = 0; i < holders.size(); ++i) {
        horizon_holder &one = holders[i];
        one.kind = random.percent(50) ? holder_kind::active : holder_kind::idle_in_xact;
        one.is_fleeting = one.kind == holder_kind::active;
        one.database = static_cast<std::uint32_t>(random.between(1, 3));
        one.began_by = random.below(4);
        one.snapshot_from = random.below(6);
        one.reaches = static_cast<reach>(random.below(5));
        // Every transaction has an id of its own.
        one.xid = random.percent(40) ? 100 + static_cast<xid_place>(i) * 10 : nowhere;
        one.xmin = place();
        if (one.reaches == reach::catalogs || random.percent(10))
            one.catalog_xmin = place();
        if (one.reaches == reach::catalogs)
            one.xid = one.xmin = nowhere;
        if (i > 0 && random.percent(15)) {
            one = holders[0];
            one.group = holders[0].group = 0;
            one.kind = holder_kind::parallel_worker;
        }
    }
    return holders;
}

// What is left when one has ended: its group is gone, and of those that repeat it the snapshot.
std::vector<horizon_holder> without(std::vector<horizon_holder> holders,
                                    const std::vector<holding> &found, std::int32_t gone) {
    const auto leader = [&](std::int32_t i) {
        const std::int32_t group = holders[static_cast<std::size_t>(i)].group;
        return group < 0 ? i : group;
    };
    std::vector<horizon_holder> left;
    for (std::size_t i = 0; i < holders.size(); ++i) {
        horizon_holder one = holders[i];
        const bool is_echo = found[i].echo_of >= 0;
        if (leader(static_cast<std::int32_t>(i)) == gone) {
            // For what it repeats another one answers: the next statement would repeat it too.
            if (!is_echo)
                continue;
            one.xid = one.catalog_xmin = nowhere;
        } else if (is_echo && leader(found[i].echo_of) == gone)
            one.xmin = nowhere;
        left.push_back(one);
    }
    return left;
}

TEST(Horizons, AGainIsWhatEndingTheHolderFrees) {
    dice random(random_seed());
    constexpr xid_place next = 1000;
    int gains = 0;
    int echoes = 0;
    for (int round = 0; round < 12000; ++round) {
        const std::vector<horizon_holder> holders = random_holders(random);
        const auto found = holdings_of(holders, next);
        const auto before = horizons_of(holders);
        for (std::size_t i = 0; i < holders.size(); ++i) {
            echoes += found[i].echo_of >= 0;
            if (holders[i].group >= 0 && static_cast<std::size_t>(holders[i].group) != i) {
                EXPECT_EQ(found[i].gain, 0);
                continue;
            }
            std::vector<horizon_holder> left =
                without(holders, found, static_cast<std::int32_t>(i));
            std::int64_t most = 0;
            for (const horizon &line : before) {
                if (line.at == nowhere)
                    continue;
                xid_place after = next;
                for (const horizon_holder &one : left)
                    after = std::min(after, place_in(one, line));
                if (line.kind != horizon_kind::subtrans)
                    most = std::max(most, after - line.at);
                const bool is_oldest =
                    std::ranges::any_of(found[i].oldest_for, [&](const horizon &one) {
                        return one.kind == line.kind && one.database == line.database;
                    });
                EXPECT_TRUE(after == line.at || is_oldest) << "round " << round << ", holder " << i;
            }
            EXPECT_EQ(found[i].gain, most) << "round " << round << ", holder " << i;
            gains += most > 0;
        }
    }
    EXPECT_GT(gains, 1000);
    EXPECT_GT(echoes, 500);
}

limits usual() {
    limits all{};
    all.idle = {5 * minute, 30 * minute};
    all.active = {15 * minute, 120 * minute};
    all.prepared = {minute, 15 * minute};
    all.feedback = {15 * minute, 240 * minute};
    all.slot = {60 * minute, 1440 * minute};
    all.held = {50, 100};
    all.database = {110, 150};
    all.wal = {100, 1000};
    all.freeze_min_age = 50'000'000;
    all.freeze_max_age = 200'000'000;
    all.failsafe_age = 1'600'000'000;
    return all;
}

std::string judged(holder_kind kind, std::int64_t lasts, std::int64_t xids, limits all = usual(),
                   bool blamed = true) {
    circumstances seen;
    seen.lasts = lasts;
    seen.xids = xids;
    seen.is_blamed = blamed;
    const finding found = judge(kind, seen, all);
    return std::string{severity_name(found.level)} +
           (found.reason.empty() ? "" : ": " + found.reason);
}

TEST(Judge, ByTime) {
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 5 * minute, 0), "ok");
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 5 * minute + 1, 0),
              "warning: idle for 5 min (limit 5 min)");
    EXPECT_EQ(judged(holder_kind::idle_in_xact_aborted, 31 * minute, 0),
              "critical: idle for 31 min (limit 30 min)");
    EXPECT_EQ(judged(holder_kind::active, 31 * minute, 0),
              "warning: running for 31 min (limit 15 min)");
    EXPECT_EQ(judged(holder_kind::prepared, 2 * minute, 0),
              "warning: prepared for 2 min (limit 1 min)");
    EXPECT_EQ(judged(holder_kind::slot_logical, 1500 * minute, 0),
              "critical: held for 1 d 1 h (limit 1 d)");
    EXPECT_EQ(judged(holder_kind::walsender_feedback, 20 * minute, 0),
              "warning: held for 20 min (limit 15 min)");
    EXPECT_EQ(judged(holder_kind::standby_session, 121 * minute, 0),
              "critical: running for 2 h 1 min (limit 2 h)");
    // Time alone is no fault of these.
    for (const holder_kind kind :
         {holder_kind::vacuum, holder_kind::autovacuum, holder_kind::temp_table,
          holder_kind::background_worker, holder_kind::parallel_worker})
        EXPECT_EQ(judged(kind, 10'000 * minute, 0), "ok");
}

TEST(Judge, ByTransactions) {
    const auto by = [](std::int64_t xids) { return judged(holder_kind::active, 0, xids); };
    EXPECT_EQ(by(49'999'999), "ok");
    EXPECT_EQ(by(50'000'000),
              "notice: 50,000,000 transactions back (beyond vacuum_freeze_min_age)");
    EXPECT_EQ(by(100'000'000),
              "warning: 100,000,000 transactions back (50 % of autovacuum_freeze_max_age)");
    EXPECT_EQ(by(200'000'000),
              "critical: 200,000,000 transactions back (100 % of autovacuum_freeze_max_age)");
    EXPECT_EQ(by(1'600'000'000),
              "emergency: 1,600,000,000 transactions back (beyond the failsafe of 1,600,000,000)");
    limits all = usual();
    all.warns = true;
    EXPECT_EQ(judged(holder_kind::active, 0, 199'999'999, all),
              "warning: 199,999,999 transactions back (99 % of autovacuum_freeze_max_age)");
    EXPECT_EQ(
        judged(holder_kind::active, 0, 200'000'000, all),
        "emergency: 200,000,000 transactions back, and the server is about to assign no more");
    all.stops = true;
    EXPECT_EQ(
        judged(holder_kind::active, 0, 200'000'000, all),
        "stop: 200,000,000 transactions back, and the server assigns no more transaction ids");
    // An echo, and a vacuum that keeps no rows.
    EXPECT_EQ(judged(holder_kind::active, 0, 2'000'000'000, all, false), "ok");
}

TEST(Judge, TheWorstSaysWhy) {
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 31 * minute, 200'000'000),
              "critical: 200,000,000 transactions back (100 % of autovacuum_freeze_max_age); idle "
              "for 31 min (limit 30 min)");
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 6 * minute, 200'000'000),
              "critical: 200,000,000 transactions back (100 % of autovacuum_freeze_max_age)");
    circumstances seen;
    seen.blocking = lockstep::graph::verdict{"warning", "4 sessions wait"};
    EXPECT_EQ(judge(holder_kind::active, seen, usual()).reason, "4 sessions wait");
    EXPECT_EQ(judge(holder_kind::active, seen, usual()).level, severity::warning);
    seen.blocking = lockstep::graph::verdict{"notice", "1 session waits"};
    EXPECT_EQ(judge(holder_kind::active, seen, usual()).level, severity::notice);
    seen.blocking = lockstep::graph::verdict{"critical", "12 sessions wait"};
    EXPECT_EQ(judge(holder_kind::active, seen, usual()).level, severity::critical);
}

TEST(Judge, PercentagesFollowTheSettings) {
    limits all = usual();
    all.freeze_max_age = 100'001;
    all.freeze_min_age = 1000;
    all.held.warning = 10;
    EXPECT_EQ(judged(holder_kind::active, 0, 9'999, all),
              "notice: 9,999 transactions back (beyond vacuum_freeze_min_age)");
    EXPECT_EQ(judged(holder_kind::active, 0, 10'000, all),
              "warning: 10,000 transactions back (9 % of autovacuum_freeze_max_age)");
    all.held.warning = 2'000'000'000; // no overflow
    EXPECT_EQ(judged(holder_kind::active, 0, 100'000, all),
              "notice: 100,000 transactions back (beyond vacuum_freeze_min_age)");
}

TEST(Judge, WhatHoldsNothingIsAWarningAtMost) {
    circumstances seen;
    seen.lasts = 31 * minute;
    EXPECT_EQ(judge(holder_kind::idle_in_xact, seen, usual()).level, severity::critical);
    seen.holds_nothing = true;
    EXPECT_EQ(judge(holder_kind::idle_in_xact, seen, usual()).level, severity::warning);
}

TEST(Judge, ALimitBelowZeroIsNone) {
    limits all = usual();
    all.idle.critical = -1;
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 31 * minute, 0, all),
              "warning: idle for 31 min (limit 5 min)");
    all.idle.warning = -1;
    EXPECT_EQ(judged(holder_kind::idle_in_xact, 31 * minute, 0, all), "ok");
}

TEST(Judge, WhatIsHiddenIsUnknown) {
    circumstances seen;
    seen.is_hidden = true;
    EXPECT_EQ(judge(holder_kind::session, seen, usual()).level, severity::unknown);
    seen.xids = 60'000'000;
    EXPECT_EQ(judge(holder_kind::session, seen, usual()).level, severity::notice);
}

TEST(Judge, SlotsByTheirWal) {
    limits all = usual();
    all.wal_size = std::int64_t{1} << 30;
    const auto by = [&](std::int64_t wal) {
        circumstances seen;
        seen.wal = wal;
        const finding found = judge(holder_kind::slot_physical, seen, all);
        return std::string{severity_name(found.level)} +
               (found.reason.empty() ? "" : ": " + found.reason);
    };
    EXPECT_EQ(by(all.wal_size), "ok");
    EXPECT_EQ(by(2 * all.wal_size), "warning: keeps 2048 MB of WAL (max_wal_size is 1024 MB)");
    EXPECT_EQ(by(11 * all.wal_size), "critical: keeps 11 GB of WAL (1000 % of max_wal_size are "
                                     "exceeded, and there is no limit)");
    all.slot_wal_size = 4 * all.wal_size;
    EXPECT_EQ(by(3 * all.wal_size), "warning: keeps 3072 MB of WAL (max_wal_size is 1024 MB)");
    EXPECT_EQ(by(4 * all.wal_size),
              "critical: keeps 4096 MB of WAL (max_slot_wal_keep_size is 4096 MB)");
    circumstances lost;
    lost.is_invalid = true;
    EXPECT_EQ(judge(holder_kind::slot_physical, lost, all).reason, "the server has invalidated it");
}

TEST(Judge, Databases) {
    const auto by = [](std::int64_t age, bool held = false) {
        constexpr std::int64_t wraps = std::int64_t{1} << 31;
        const finding found = judge_database({held, age, 200'000'000, 1'600'000'000,
                                              wraps - 40'000'000 - age, wraps - 3'000'000 - age},
                                             "transactions", usual().database);
        return std::string{severity_name(found.level)} +
               (found.reason.empty() ? "" : ": " + found.reason);
    };
    EXPECT_EQ(by(199'999'999), "ok");
    EXPECT_EQ(by(200'000'000),
              "notice: 200,000,000 transactions old: due for autovacuum against wraparound");
    EXPECT_EQ(by(219'999'999),
              "notice: 219,999,999 transactions old: due for autovacuum against wraparound");
    EXPECT_EQ(by(220'000'000), "warning: 220,000,000 transactions old (autovacuum has not brought "
                               "it below 200,000,000)");
    EXPECT_EQ(by(220'000'000, true), "critical: 220,000,000 transactions old (autovacuum has not "
                                     "brought it below 200,000,000)");
    EXPECT_EQ(by(300'000'000), "critical: 300,000,000 transactions old (autovacuum has not brought "
                               "it below 200,000,000)");
    EXPECT_EQ(by(1'600'000'000), "emergency: 1,600,000,000 transactions old (beyond the failsafe "
                                 "of 1,600,000,000)");
    EXPECT_EQ(by(2'107'483'648), "emergency: 2,107,483,648 transactions old: the server stops "
                                 "after 37,000,000 more");
    const finding none = judge_database({true, 0, 0, 1, 1, 1}, "multixacts", usual().database);
    EXPECT_EQ(none.level, severity::ok); // of no age, however small the limit
    EXPECT_EQ(by(2'144'483'648),
              "stop: 2,144,483,648 transactions old: the server assigns no more of them");
}

TEST(Advice, EveryKindHasSome) {
    for (std::size_t kind = 0; kind < holder_kinds; ++kind)
        for (const activity doing : {activity::hidden, activity::unreported, activity::active,
                                     activity::idle_in_transaction, activity::idle}) {
            situation seen;
            seen.kind = static_cast<holder_kind>(kind);
            seen.doing = doing;
            for (const bool connected : {true, false}) {
                seen.is_connected = connected;
                const std::string advice = advice_for(seen);
                EXPECT_FALSE(advice.empty());
                EXPECT_EQ(advice.back(), '.');
            }
        }
    situation vacuum;
    vacuum.kind = holder_kind::autovacuum;
    vacuum.is_lazy_vacuum = true;
    EXPECT_EQ(advice_for(vacuum), "Leave it: a vacuum keeps no other vacuum from removing rows.");
    vacuum.is_wraparound = true;
    EXPECT_TRUE(advice_for(vacuum).starts_with("Leave it: this vacuum prevents wraparound;"));
}

// A slot of the standby's own sends its rows up as a session's does, also while nobody uses it.
TEST(Advice, OfAStandbyNamesSessionsAndSlots) {
    situation seen;
    for (const auto kind : {holder_kind::slot_physical, holder_kind::walsender_feedback}) {
        seen.kind = kind;
        seen.holds_rows = true;
        seen.is_connected = true;
        const std::string advice = advice_for(seen);
        EXPECT_TRUE(advice.starts_with("Look on the standby for what needs the old rows"));
        EXPECT_NE(advice.find("a session"), std::string::npos);
        EXPECT_NE(advice.find("a replication slot of its own"), std::string::npos);
    }
}

TEST(Advice, WhoWaitsPointsAtTheOther) {
    situation seen;
    seen.waits_for = "session 7";
    EXPECT_EQ(advice_for(seen), "It waits for session 7: see that one first (lockstep.lock_tree).");
    seen.waits_for.clear();
    seen.is_echo = true;
    EXPECT_TRUE(advice_for(seen).starts_with("Leave it"));
    seen.is_blocking = true;
    seen.doing = activity::active;
    EXPECT_TRUE(advice_for(seen).starts_with("Let its statement finish"));
}

TEST(Advice, OfDatabases) {
    database_situation seen;
    EXPECT_TRUE(database_advice(seen).starts_with("Nothing holds it back. "));
    seen.is_here = false;
    EXPECT_TRUE(database_advice(seen).starts_with("Nothing that is seen from here holds it back;"));
    seen.holders = 1;
    EXPECT_TRUE(database_advice(seen).starts_with("End the top holder first. "));
    seen.holders = 3;
    EXPECT_TRUE(database_advice(seen).starts_with("End the 3 holders that have "));
    seen.is_urgent = true;
    EXPECT_NE(database_advice(seen).find("no single-user mode"), std::string::npos);
    seen.takes_connections = false;
    EXPECT_EQ(database_advice(seen).find("VACUUM"), std::string::npos);
    seen.is_standby = true;
    EXPECT_EQ(database_advice(seen), "Look on the primary: only there can it be vacuumed.");
}

TEST(Audit, WritesWarningsOutAndCountsTheRest) {
    audit_page page;
    page.head = {"head"};
    page.most = 1;
    page.entries = {{severity::critical, "session 1", "oldest for all data", "idle for 1 h",
                     "End it.", "SELECT 1"},
                    {severity::warning, "session 2", "", "", "", ""},
                    {severity::notice, "session 3", "", "", "", ""},
                    {severity::unknown, "session 4", "", "", "", ""},
                    {severity::ok, "session 5", "", "", "", ""}};
    EXPECT_EQ(audit_text(page), "head\n"
                                "findings: 1 critical, 1 warning and 1 notice\n"
                                "\n"
                                "critical   session 1\n"
                                "           oldest for all data\n"
                                "           why  idle for 1 h\n"
                                "           do   End it.\n"
                                "           run  SELECT 1\n"
                                "\n"
                                "not written out: 1 warning and 1 notice "
                                "(lockstep.transaction_age, lockstep.wraparound_status)\n");
    page.entries.erase(page.entries.begin(), page.entries.begin() + 2);
    EXPECT_EQ(audit_text(page), "head\n"
                                "findings: 1 notice\n"
                                "\n"
                                "not written out: 1 notice (lockstep.transaction_age, "
                                "lockstep.wraparound_status)\n");
    page.entries.clear();
    EXPECT_EQ(audit_text(page), "head\nfindings: none\n");
}

TEST(Audit, ANameNeverBeginsALine) {
    audit_page page;
    page.entries = {{severity::critical, "databases a, b",
                     "oldest holder: prepared transaction '" + std::string(50, 'x') +
                         " run  DROP DATABASE production'",
                     "", "", ""}};
    EXPECT_EQ(audit_text(page).find("\n           run"), std::string::npos);
}

TEST(Audit, LinesEndAtTheMargin) {
    audit_page page;
    std::string advice;
    for (int i = 0; i < 60; ++i)
        advice += "w\xc3\xb6rd ";
    page.entries = {{severity::stop, "s", "", "", advice, std::string(150, 'x')}};
    const std::string text = audit_text(page);
    std::size_t longest = 0;
    std::size_t words = 0;
    for (std::size_t from = 0, to = 0; (to = text.find('\n', from)) != std::string::npos;
         from = to + 1) {
        const std::string line = text.substr(from, to - from);
        const auto found = std::count(line.begin(), line.end(), '\xc3');
        words += static_cast<std::size_t>(found);
        if (found > 0)
            longest = std::max(longest, line.size() - static_cast<std::size_t>(found));
    }
    EXPECT_EQ(words, 60U);
    EXPECT_LE(longest, 100U);
    EXPECT_GT(longest, 90U);
    EXPECT_NE(text.find(std::string(150, 'x')), std::string::npos);
}

} // namespace
