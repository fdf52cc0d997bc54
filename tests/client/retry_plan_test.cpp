// The decision after a failure, without a clock and without a server: what is repeated, how often,
// how long the pause is, and that no pause reaches the deadline.

#include "retry_plan.hpp"
#include "server.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>

namespace {

using namespace lockstep;
using namespace lockstep::detail;
using lockstep::testing::printed_seed;
using namespace std::chrono_literals;
using step = retry_plan::step;

constexpr auto all_bits = std::numeric_limits<std::uint64_t>::max();

failure failed_with(std::string sqlstate, bool open = true, bool sent = false) {
    failure failed;
    failed.facts.sqlstate = std::move(sqlstate);
    failed.session_open = open;
    failed.commit_sent = sent;
    return failed;
}

retry_plan plan_for(const retry_policy &policy, doubt_handling doubt = doubt_handling::raise,
                    access_mode mode = access_mode::read_write) {
    return {policy, doubt, mode};
}

TEST(retry_plan, repeats_a_conflict_with_growing_pauses) {
    const retry_policy policy;
    auto plan = plan_for(policy);
    for (const auto limit : {4ms, 8ms, 16ms, 32ms, 64ms, 128ms, 250ms, 250ms}) {
        const auto decided = plan.after(failed_with("40001"), 1, 0us, all_bits);
        EXPECT_EQ(decided.next, step::again);
        EXPECT_EQ(decided.verdict, retry_verdict::same_session);
        EXPECT_EQ(decided.wait, limit);
    }
}

TEST(retry_plan, takes_the_wait_that_the_server_suggests) {
    retry_policy policy;
    auto conflict = failed_with("40001");
    conflict.facts.detail = R"({"waiters_ahead": 6, "retry_after_ms": 28})";
    auto plan = plan_for(policy);
    EXPECT_EQ(plan.after(conflict, 1, 0us, all_bits).wait, 28ms);
    EXPECT_EQ(plan.after(conflict, 2, 0us, all_bits).wait, 56ms);
    EXPECT_EQ(plan.after(failed_with("40001"), 3, 0us, all_bits).wait, 16ms);
    conflict.facts.detail = R"({"waiters_ahead": 0, "retry_after_ms": 1})";
    EXPECT_EQ(plan_for(policy).after(conflict, 1, 0us, all_bits).wait, 4ms);
    conflict.facts.detail = R"({"waiters_ahead": 999, "retry_after_ms": 999999})";
    EXPECT_EQ(plan_for(policy).after(conflict, 1, 0us, all_bits).wait, 250ms);
    policy.conflict.base = 0ms;
    EXPECT_EQ(plan_for(policy).after(conflict, 1, 0us, all_bits).wait, 0us);
}

TEST(retry_plan, waits_after_a_deadlock_as_long_as_the_work_takes) {
    retry_policy policy;
    policy.deadline = 60s;
    auto deadlock = failed_with("40P01");
    deadlock.length = 1030ms;
    deadlock.facts.detail = "Process 1 waits\nProcess 2 waits\nProcess 3 waits";
    auto plan = plan_for(policy);
    for (const auto turn : {30ms, 120ms, 480ms, 1030ms, 1030ms})
        EXPECT_EQ(plan.after(deadlock, 1, 0us, all_bits).wait, 3 * turn);
    // A second is left beside one more attempt.
    EXPECT_EQ(plan.after(deadlock, 6, 60s - 2030ms, all_bits).wait, 1s);
    policy.conflict.base = 0ms;
    EXPECT_EQ(plan_for(policy).after(deadlock, 1, 0us, all_bits).wait, 0us);
}

TEST(retry_plan, waits_after_a_deadlock_of_short_work_as_after_a_conflict) {
    const retry_policy policy;
    auto plan = plan_for(policy);
    for (const auto limit : {4ms, 8ms, 16ms, 32ms, 64ms, 128ms, 250ms, 250ms})
        EXPECT_EQ(plan.after(failed_with("40P01"), 1, 0us, all_bits).wait, limit);
}

TEST(retry_plan, counts_each_kind_of_pause_apart) {
    const retry_policy policy;
    auto plan = plan_for(policy);
    EXPECT_EQ(plan.after(failed_with("40001"), 1, 0us, all_bits).wait, 4ms);
    EXPECT_EQ(plan.after(failed_with("57P01", false), 1, 0us, all_bits).wait, 50ms);
    EXPECT_EQ(plan.after(failed_with("53300", false), 1, 0us, all_bits).wait, 200ms);
    EXPECT_EQ(plan.after(failed_with("40001"), 1, 0us, all_bits).wait, 8ms);
}

TEST(retry_plan, repeats_nobodys_wish_unless_asked) {
    retry_policy policy;
    for (const auto *code : {"55P03", "57014", "23505", "LS001"})
        EXPECT_EQ(plan_for(policy).after(failed_with(code), 1, 0us, 0).next, step::reject) << code;
    policy.retry_lock_timeout = true;
    EXPECT_EQ(plan_for(policy).after(failed_with("55P03"), 1, 0us, 0).next, step::again);
    EXPECT_EQ(plan_for(policy).after(failed_with("57014"), 1, 0us, 0).next, step::reject);
}

TEST(retry_plan, stops_at_the_limit_of_a_rule) {
    const retry_policy policy;
    auto plan = plan_for(policy);
    EXPECT_EQ(plan.after(failed_with("25P03", false), 1, 0us, 0).next, step::again);
    EXPECT_EQ(plan.after(failed_with("25P03", false), 2, 0us, 0).next, step::reject);
}

TEST(retry_plan, stops_at_the_number_of_attempts) {
    retry_policy policy;
    policy.max_attempts = 3;
    auto plan = plan_for(policy);
    EXPECT_EQ(plan.after(failed_with("40001"), 2, 0us, 0).next, step::again);
    EXPECT_EQ(plan.after(failed_with("40001"), 3, 0us, 0).next, step::out_of_attempts);
}

TEST(retry_plan, connecting_again_costs_no_attempt) {
    retry_policy policy;
    policy.max_attempts = 1;
    auto plan = plan_for(policy);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(plan.after(failed_with("", false), 0, 0us, 0).next, step::again);
}

TEST(retry_plan, our_own_deadline_ends_the_call_whatever_the_code) {
    const retry_policy policy;
    auto failed = failed_with("57014");
    failed.ran_out_of_time = true;
    EXPECT_EQ(plan_for(policy).after(failed, 1, 0us, 0).next, step::out_of_time);
    failed = failed_with("", false);
    failed.ran_out_of_time = true;
    EXPECT_EQ(plan_for(policy).after(failed, 1, 0us, 0).next, step::out_of_time);
}

TEST(retry_plan, a_lost_commit_is_as_the_caller_said) {
    const retry_policy policy;
    const auto lost = failed_with("57P01", false, true);
    EXPECT_EQ(plan_for(policy, doubt_handling::raise).after(lost, 1, 0us, 0).next, step::in_doubt);
    const auto repeated = plan_for(policy, doubt_handling::repeat).after(lost, 1, 0us, all_bits);
    EXPECT_EQ(repeated.next, step::again);
    EXPECT_EQ(repeated.verdict, retry_verdict::in_doubt);
    EXPECT_EQ(repeated.wait, 50ms);
    const auto harmless = plan_for(policy, doubt_handling::harmless).after(lost, 1, 0us, 0);
    EXPECT_EQ(harmless.next, step::again);
    EXPECT_EQ(harmless.verdict, retry_verdict::new_session);
}

TEST(retry_plan, a_lost_commit_past_the_deadline_stays_in_doubt) {
    const retry_policy policy;
    auto lost = failed_with("", false, true);
    lost.ran_out_of_time = true;
    const auto decided = plan_for(policy, doubt_handling::repeat).after(lost, 1, 5s, 0);
    EXPECT_EQ(decided.next, step::out_of_time);
    EXPECT_EQ(decided.verdict, retry_verdict::in_doubt);
}

TEST(retry_plan, read_only_is_final_for_who_asked_for_it) {
    const retry_policy policy;
    EXPECT_EQ(plan_for(policy).after(failed_with("25006"), 1, 0us, 0).verdict,
              retry_verdict::elsewhere);
    EXPECT_EQ(plan_for(policy, doubt_handling::harmless, access_mode::read_only)
                  .after(failed_with("25006"), 1, 0us, 0)
                  .next,
              step::reject);
}

TEST(retry_plan, a_stale_plan_gets_one_new_session) {
    const retry_policy policy;
    auto plan = plan_for(policy);
    auto stale = failed_with("0A000");
    EXPECT_EQ(plan_for(policy).after(stale, 1, 0us, 0).next, step::reject);
    stale.plan_was_stale = true;
    EXPECT_EQ(plan.after(stale, 1, 0us, 0).verdict, retry_verdict::new_session);
    EXPECT_EQ(plan.after(stale, 2, 0us, 0).next, step::reject);
}

// Whatever fails, whenever, and whatever the random bits: a pause never reaches the deadline, and a
// call that is told "again" often enough runs out of time.
TEST(retry_plan, no_pause_ever_reaches_the_deadline) {
    std::mt19937_64 random{printed_seed()};
    const char *const codes[] = {"40001", "40P01", "57P01", "57P03", "53300", "", "08006"};
    for (int call = 0; call < 2000; ++call) {
        retry_policy policy;
        policy.deadline = std::chrono::milliseconds(1 + random() % 10'000);
        policy.max_attempts = std::numeric_limits<int>::max();
        auto plan = plan_for(policy, doubt_handling::repeat);
        std::chrono::microseconds elapsed{0};
        for (int attempt = 1;; ++attempt) {
            const bool open = random() % 2 == 0;
            const bool sent = random() % 2 == 0;
            elapsed += std::chrono::microseconds(1 + random() % 5000);
            const auto decided = plan.after(failed_with(codes[random() % 7], open, sent), attempt,
                                            elapsed, random());
            if (decided.next == step::reject)
                continue; // no code on an open session
            if (decided.next == step::out_of_time)
                break;
            ASSERT_EQ(decided.next, step::again);
            ASSERT_GE(decided.wait, 0us);
            ASSERT_LT(elapsed + decided.wait, policy.deadline);
            elapsed += decided.wait;
        }
    }
}

} // namespace
