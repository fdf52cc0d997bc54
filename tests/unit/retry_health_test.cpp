// The three figures of the last minute: what they are taken from, and where the limits are.

#include "core/retry_health.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace {

using lockstep::retry_health::all_limits;
using lockstep::retry_health::finding;
using lockstep::retry_health::judge;
using lockstep::retry_health::minute;
using lockstep::retry_health::status;

constexpr all_limits usual{{5, 20}, {2, 5}, {1, 10}};

TEST(retry_health, nothing_happened) {
    const auto all = judge({}, usual);
    EXPECT_EQ(all[0].metric, "retry_rate");
    EXPECT_EQ(all[1].metric, "mean_attempts");
    EXPECT_EQ(all[2].metric, "deadlocks");
    EXPECT_FALSE(all[0].value);
    EXPECT_FALSE(all[1].value);
    EXPECT_EQ(all[2].value, 0.0);
    for (const finding &one : all) {
        EXPECT_EQ(one.level, status::ok) << one.metric;
        EXPECT_TRUE(one.advice.empty()) << one.metric;
    }
}

TEST(retry_health, retry_rate_is_a_share_of_all_that_ended) {
    const auto level = [](std::int64_t transactions, std::int64_t conflicts) {
        return judge({.transactions = transactions, .conflicts = conflicts}, usual)[0].level;
    };
    EXPECT_EQ(judge({.transactions = 95, .conflicts = 5}, usual)[0].value, 5.0);
    EXPECT_EQ(level(95, 5), status::ok);
    EXPECT_EQ(level(9499, 501), status::warning);
    EXPECT_EQ(level(80, 20), status::warning);
    EXPECT_EQ(level(7999, 2001), status::critical);
    EXPECT_EQ(judge({.conflicts = 3}, usual)[0].value, 100.0);
    EXPECT_EQ(judge({.transactions = 3}, usual)[0].value, 0.0);
}

TEST(retry_health, mean_attempts_is_of_those_who_said_it) {
    const auto found = [](std::int64_t announced, std::int64_t attempts) {
        return judge({.transactions = 1000, .announced = announced, .attempts = attempts},
                     usual)[1];
    };
    EXPECT_EQ(found(4, 6).value, 1.5);
    EXPECT_EQ(found(4, 8).level, status::ok);
    EXPECT_EQ(found(4, 9).level, status::warning);
    EXPECT_EQ(found(4, 20).level, status::warning);
    EXPECT_EQ(found(4, 21).level, status::critical);
}

TEST(retry_health, deadlocks_are_counted) {
    const auto level = [](std::int64_t deadlocks) {
        return judge({.conflicts = deadlocks, .deadlocks = deadlocks}, usual)[2].level;
    };
    EXPECT_EQ(level(1), status::ok);
    EXPECT_EQ(level(2), status::warning);
    EXPECT_EQ(level(10), status::warning);
    EXPECT_EQ(level(11), status::critical);
}

TEST(retry_health, advice_comes_with_what_is_wrong) {
    for (const finding &one :
         judge({.conflicts = 50, .deadlocks = 50, .announced = 1, .attempts = 50}, usual)) {
        EXPECT_EQ(one.level, status::critical) << one.metric;
        EXPECT_FALSE(one.advice.empty()) << one.metric;
        EXPECT_FALSE(one.unit.empty()) << one.metric;
    }
}

// A critical limit below the warning is critical at once, without a warning before it.
TEST(retry_health, limits_in_the_wrong_order) {
    constexpr all_limits odd{{20, 5}, {2, 5}, {1, 10}};
    EXPECT_EQ(judge({.transactions = 90, .conflicts = 10}, odd)[0].level, status::critical);
    EXPECT_EQ(judge({.transactions = 99, .conflicts = 1}, odd)[0].level, status::ok);
}

TEST(retry_health, numbers_of_any_size) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const auto all = judge({most, most, most, most, most}, usual);
    EXPECT_EQ(all[0].value, 50.0);
    EXPECT_EQ(all[1].value, 1.0);
    EXPECT_EQ(all[2].level, status::critical);
}

TEST(retry_health, words) {
    EXPECT_EQ(to_string(status::ok), "ok");
    EXPECT_EQ(to_string(status::warning), "warning");
    EXPECT_EQ(to_string(status::critical), "critical");
}

} // namespace
