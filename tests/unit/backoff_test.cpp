// The wait before the next attempt: its bounds for any input, its growth, its spread.

#include "core/backoff.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;
using lockstep::after_deadlock;
using lockstep::backoff_limit;
using lockstep::backoff_range;
using lockstep::behind;
using lockstep::contention_detail;
using lockstep::full_jitter;
using lockstep::leaving_time;
using lockstep::others_in_deadlock;
using lockstep::suggested_wait;
using std::chrono::microseconds;

constexpr auto all_bits = std::numeric_limits<std::uint64_t>::max();
constexpr auto longest = microseconds::max();

TEST(backoff, limit_doubles_up_to_the_cap) {
    const backoff_range range{4ms, 250ms};
    const std::array<microseconds, 8> expected{4ms, 8ms, 16ms, 32ms, 64ms, 128ms, 250ms, 250ms};
    for (int nth = 0; nth < 8; ++nth)
        EXPECT_EQ(backoff_limit(range, nth), expected[static_cast<std::size_t>(nth)]) << nth;
}

TEST(backoff, jitter_covers_zero_to_the_limit_inclusive) {
    const backoff_range range{4ms, 250ms};
    EXPECT_EQ(full_jitter(range, 2, 0), 0us);
    EXPECT_EQ(full_jitter(range, 2, all_bits), 16ms);
    EXPECT_EQ(full_jitter(range, 2, all_bits / 2), 8ms);
}

TEST(backoff, no_input_overflows) {
    for (const int nth : {0, 1, 31, 32, 61, 62, 63, 64, 1000, std::numeric_limits<int>::max()}) {
        EXPECT_EQ(backoff_limit({1us, longest}, nth), microseconds{1LL << std::min(nth, 62)});
        EXPECT_EQ(backoff_limit({longest, longest}, nth), longest);
        EXPECT_EQ(full_jitter({longest, longest}, nth, all_bits), longest);
        EXPECT_EQ(full_jitter({longest, longest}, nth, 0), 0us);
    }
    EXPECT_EQ(backoff_limit({1us, longest}, std::numeric_limits<int>::min()), 1us);
}

TEST(backoff, a_base_above_the_cap_is_the_cap) {
    EXPECT_EQ(backoff_limit({10s, 1s}, 0), 1s);
    EXPECT_EQ(full_jitter({10s, 1s}, 5, all_bits), 1s);
}

TEST(backoff, nothing_to_wait_for_stays_nothing) {
    for (const backoff_range range : {backoff_range{0us, 1s}, {-1s, 1s}, {1s, 0us}, {1s, -1s}})
        for (const int nth : {0, 1, 62, 1000})
            EXPECT_EQ(full_jitter(range, nth, all_bits), 0us);
}

// Sixteen equal drawers over 160,000 draws: each within 5 % of its share (over 4.9 sigma), and the
// share of the lower half right. A biased or clumped jitter would bring waiters back together.
TEST(backoff, jitter_is_uniform) {
    constexpr std::uint64_t seed = 20240607;
    std::cout << "seed " << seed << '\n';
    std::mt19937_64 random{seed};
    constexpr int draws = 160'000;
    std::array<int, 16> drawers{};
    for (int i = 0; i < draws; ++i) {
        const auto wait = full_jitter({1600us, 1s}, 0, random());
        ASSERT_GE(wait, 0us);
        ASSERT_LE(wait, 1600us);
        ++drawers[std::min<std::size_t>(static_cast<std::size_t>(wait.count()) / 100, 15)];
    }
    constexpr int share = draws / 16, tolerance = share / 20;
    for (const int count : drawers)
        EXPECT_NEAR(count, share, tolerance);
}

TEST(backoff, each_one_ahead_is_a_turn) {
    EXPECT_EQ(behind({4ms, 250ms}, 0).base, 4ms);
    EXPECT_EQ(behind({4ms, 250ms}, 3).base, 16ms);
    EXPECT_EQ(behind({4ms, 250ms}, -1).base, 4ms);
    EXPECT_EQ(behind({0us, 250ms}, 7).base, 0us);
    EXPECT_EQ(backoff_limit(behind({4ms, 250ms}, 1000000), 0), 250ms);
    EXPECT_EQ(behind({longest, longest}, std::numeric_limits<int>::max()).base, longest);
}

// deadlock_timeout is a second; the attempt worked for so long beside it.
backoff_range after(std::chrono::microseconds worked, int others, int so_far) {
    return after_deadlock({4ms, 250ms}, {1s + worked, 1s, others, so_far});
}

TEST(backoff, a_turn_after_a_deadlock_is_what_the_attempt_worked) {
    EXPECT_EQ(after(30ms, 0, 1).base, 30ms);
    EXPECT_EQ(after(30ms, 4, 1).base, 150ms);
    EXPECT_EQ(after(3s, 4, 1).base, 15s);
    // Short work waits as after any other conflict.
    EXPECT_EQ(after(100us, 0, 1).base, 4ms);
    EXPECT_EQ(after_deadlock({4ms, 250ms}, {800us, 1s, 1, 1}).base, 1600us);
}

TEST(backoff, each_deadlock_makes_the_turns_longer_up_to_the_attempt) {
    EXPECT_EQ(after(30ms, 4, 2).base, 5 * 120ms);
    EXPECT_EQ(after(30ms, 4, 3).base, 5 * 480ms);
    EXPECT_EQ(after(30ms, 4, 4).base, 5 * 1030ms);
    EXPECT_EQ(after(30ms, 4, std::numeric_limits<int>::max()).base, 5 * 1030ms);
}

TEST(backoff, the_cap_after_a_deadlock_follows_the_attempt) {
    EXPECT_EQ(backoff_limit(after(30ms, 1000, 1), 0), 8 * 1030ms);
    EXPECT_EQ(backoff_limit(after_deadlock({4ms, 20s}, {1s, 1s, 1'000'000, 1}), 0), 20s);
    EXPECT_EQ(backoff_limit(after_deadlock({4ms, 250ms}, {1ms, 1s, 1000, 1}), 0), 250ms);
}

TEST(backoff, no_facts_of_a_deadlock_overflow) {
    constexpr int least = std::numeric_limits<int>::min();
    constexpr int most = std::numeric_limits<int>::max();
    EXPECT_EQ(backoff_limit(after_deadlock({4ms, 250ms}, {longest, 0us, most, most}), 0), longest);
    EXPECT_EQ(after_deadlock({4ms, 250ms}, {0us, longest, least, least}).base, 1us);
    EXPECT_EQ(after_deadlock({4ms, 250ms}, {2s, -longest, -1, 0}).base, 2s);
    for (const auto never : {0us, -1us})
        EXPECT_EQ(full_jitter(after_deadlock({never, 250ms}, {2s, 1s, 9, 9}), 0, all_bits), 0us);
}

TEST(backoff, a_deadlock_has_a_line_for_each_process) {
    EXPECT_EQ(others_in_deadlock(""), 0);
    EXPECT_EQ(
        others_in_deadlock("Process 7 waits for ShareLock on transaction 9; blocked by process 8.\n"
                           "Process 8 waits for ShareLock on transaction 7; blocked by process 7."),
        1);
}

TEST(backoff, a_pause_leaves_time_for_one_more_attempt) {
    EXPECT_EQ(leaving_time({1s, 8s}, 3s, 1s).cap, 2s);
    EXPECT_EQ(leaving_time({1s, 8s}, 30s, 1s).cap, 8s);
    for (const auto left : {1s, 0s, -1s})
        EXPECT_EQ(leaving_time({1s, 8s}, left, 1s).cap, 8s);
}

TEST(backoff, a_suggested_wait_is_read_back) {
    EXPECT_EQ(contention_detail(3, 16ms), R"({"waiters_ahead": 3, "retry_after_ms": 16})");
    EXPECT_EQ(contention_detail(-1, 0us), R"({"waiters_ahead": 0, "retry_after_ms": 1})");
    EXPECT_EQ(contention_detail(0, 1001us), R"({"waiters_ahead": 0, "retry_after_ms": 2})");
    const std::string with_more = contention_detail(1, 8ms, R"("held": "row 2 of \"a\"", )");
    EXPECT_EQ(with_more, R"({"held": "row 2 of \"a\"", "waiters_ahead": 1, "retry_after_ms": 8})");
    EXPECT_EQ(suggested_wait(with_more), 8ms);
    EXPECT_EQ(suggested_wait(contention_detail(3, 16ms)), 16ms);
    EXPECT_EQ(suggested_wait("Item 2 of the batch.  " + contention_detail(9, 40ms)), 40ms);
    for (const auto *text : {"", "Key (id)=(1) exists.", "retry_after_ms", R"("retry_after_ms": )",
                             R"("retry_after_ms": -5})", R"("retry_after_ms": x})",
                             R"("retry_after_ms": 99999999999999999999})"})
        EXPECT_EQ(suggested_wait(text), std::nullopt) << text;
}

} // namespace
