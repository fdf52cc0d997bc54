// How bad a root of the lock graph is.
#include "core/graph/advice.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace {

using namespace lockstep::graph;

constexpr std::int64_t second = 1'000'000;

std::string judged(std::int32_t blocked, std::int64_t seconds) {
    const verdict found = judge(blocked, seconds * second, blocking_limits{});
    return std::string{found.severity} + ": " + found.reason;
}

TEST(Advice, AWarningNeedsBothACriticalRootOne) {
    EXPECT_EQ(judged(1, 0), "notice: 1 session waits, the longest for 0 s");
    EXPECT_EQ(judged(2, 100), "notice: 2 sessions wait, the longest for 1 min 40 s");
    EXPECT_EQ(judged(3, 60), "notice: 3 sessions wait, the longest for 1 min");
    EXPECT_EQ(judged(3, 61),
              "warning: 3 sessions wait (limit 3), the longest for 1 min 1 s (limit 1 min)");
    EXPECT_EQ(judged(10, 0), "critical: 10 sessions wait (limit 10), the longest for 0 s");
    EXPECT_EQ(judged(1, 301), "critical: 1 session waits, the longest for 5 min 1 s (limit 5 min)");
}

TEST(Advice, EveryKindHasSome) {
    for (const char *kind : {"backend", "prepared", "finishing", "cycle", "autovacuum",
                             "autovacuum_wraparound", "startup", "walsender"})
        for (const activity doing : {activity::hidden, activity::unreported, activity::active,
                                     activity::idle_in_transaction, activity::idle})
            EXPECT_EQ(advice_for(kind, doing).back(), '.') << kind;
}

} // namespace
