// Inverted orders of locks: rings of pairs of what was held and what was wanted, against a plain
// table of which pair leads to which.
#include "core/graph/lock_order.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace {

using lockstep::graph::conflict_masks;
using lockstep::graph::held_and_wanted;
using lockstep::graph::inverted_orders;
using lockstep::graph::is_kept_by;
using lockstep::testing::dice;
using lockstep::testing::random_seed;

using rings = std::vector<std::vector<std::size_t>>;

enum mode : std::uint8_t {
    access_share = 1,
    row_share,
    row_exclusive,
    share_update_exclusive,
    share,
    share_row_exclusive,
    exclusive,
    access_exclusive
};

constexpr std::uint32_t bit(int one) {
    return 1U << one;
}

// As the manual's table of conflicts has them.
constexpr std::array<std::uint32_t, LOCKSTEP_LOCK_MODES> conflicts{
    0,
    bit(access_exclusive),
    bit(exclusive) | bit(access_exclusive),
    bit(share) | bit(share_row_exclusive) | bit(exclusive) | bit(access_exclusive),
    bit(share_update_exclusive) | bit(share) | bit(share_row_exclusive) | bit(exclusive) |
        bit(access_exclusive),
    bit(row_exclusive) | bit(share_update_exclusive) | bit(share_row_exclusive) | bit(exclusive) |
        bit(access_exclusive),
    bit(row_exclusive) | bit(share_update_exclusive) | bit(share) | bit(share_row_exclusive) |
        bit(exclusive) | bit(access_exclusive),
    0x1fcU,  // all but ACCESS SHARE
    0x1feU}; // all

held_and_wanted row_wait(std::uint32_t held, std::uint32_t wanted, std::int64_t times = 1) {
    return {1, held, bit(row_exclusive), wanted, exclusive, true, times};
}

held_and_wanted table_wait(std::uint32_t held, mode has, std::uint32_t wanted, mode wants,
                           std::int64_t times = 1) {
    return {1, held, bit(has), wanted, wants, false, times};
}

rings found_in(const std::vector<held_and_wanted> &pairs) {
    return inverted_orders(pairs, conflict_masks{conflicts});
}

TEST(lock_order, two_orders_are_a_ring_and_one_is_none) {
    EXPECT_EQ(found_in({row_wait(10, 20)}), rings{});
    EXPECT_EQ(found_in({row_wait(10, 20), row_wait(20, 30), row_wait(10, 30)}), rings{});
    EXPECT_EQ(found_in({row_wait(20, 10), row_wait(10, 20)}), (rings{{1, 0}}));
}

TEST(lock_order, rings_of_three_and_the_shortest_of_each_pair) {
    EXPECT_EQ(found_in({row_wait(30, 10), row_wait(10, 20), row_wait(20, 30)}), (rings{{1, 2, 0}}));
    // Each pair has a ring of two; the one of three that they make besides is not told.
    EXPECT_EQ(found_in({row_wait(10, 20), row_wait(20, 10), row_wait(20, 30), row_wait(30, 20)}),
              (rings{{0, 1}, {2, 3}}));
}

TEST(lock_order, rows_of_one_relation_are_none) {
    EXPECT_EQ(found_in({row_wait(10, 10)}), rings{});
    EXPECT_EQ(found_in({row_wait(10, 10), row_wait(10, 20)}), rings{});
}

TEST(lock_order, databases_have_relations_of_their_own) {
    std::vector<held_and_wanted> pairs{row_wait(10, 20), row_wait(20, 10)};
    pairs[1].database = 2;
    EXPECT_EQ(found_in(pairs), rings{});
}

TEST(lock_order, modes_that_do_not_conflict_are_no_ring) {
    // Who reads is in nobody's way but of who wants it all.
    EXPECT_EQ(found_in({table_wait(10, access_share, 20, exclusive),
                        table_wait(20, row_exclusive, 10, exclusive)}),
              rings{});
    EXPECT_EQ(found_in({table_wait(10, access_share, 20, exclusive),
                        table_wait(20, row_exclusive, 10, access_exclusive)}),
              (rings{{0, 1}}));
    // A row is not in the way of who has the whole table, but of who may have rows of it.
    EXPECT_EQ(found_in({row_wait(10, 20), table_wait(20, share_update_exclusive, 10, share)}),
              rings{});
    EXPECT_EQ(found_in({row_wait(10, 20), table_wait(20, row_share, 10, share)}), (rings{{0, 1}}));
}

TEST(lock_order, a_stronger_lock_on_what_is_shared) {
    EXPECT_EQ(found_in({table_wait(10, share, 10, row_exclusive)}), (rings{{0}}));
    EXPECT_EQ(found_in({table_wait(10, row_exclusive, 10, share)}), (rings{{0}}));
    // One alone can have it.
    EXPECT_EQ(found_in({table_wait(10, share_row_exclusive, 10, access_exclusive)}), rings{});
    // The two do not conflict.
    EXPECT_EQ(found_in({table_wait(10, row_share, 10, row_exclusive)}), rings{});
}

TEST(lock_order, of_the_same_relations_the_most_seen) {
    EXPECT_EQ(found_in({row_wait(10, 20, 1), table_wait(10, row_share, 20, share, 7),
                        row_wait(20, 10, 9), row_wait(30, 40, 8), row_wait(40, 30, 8)}),
              (rings{{3, 4}, {1, 2}}));
    // Whichever come first.
    EXPECT_EQ(found_in({row_wait(10, 20, 1), table_wait(10, row_exclusive, 20, exclusive, 9),
                        row_wait(20, 10, 1), table_wait(20, row_exclusive, 10, exclusive, 9)}),
              (rings{{1, 3}}));
}

// By the definition, however long it takes: from each pair to each, over how many.
std::vector<std::vector<std::size_t>> distances(const std::vector<held_and_wanted> &pairs) {
    constexpr std::size_t far = 1000000;
    const std::size_t count = pairs.size();
    std::vector<std::vector<std::size_t>> over(count, std::vector<std::size_t>(count, far));
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t k = 0; k < count; ++k)
            if (pairs[i].held != pairs[i].wanted && pairs[k].held != pairs[k].wanted &&
                is_kept_by(pairs[i], pairs[k], conflict_masks{conflicts}))
                over[i][k] = 1;
    for (std::size_t by = 0; by < count; ++by)
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t k = 0; k < count; ++k)
                over[i][k] = std::min(over[i][k], over[i][by] + over[by][k]);
    return over;
}

TEST(lock_order, random_pairs) {
    dice random(random_seed());
    for (int round = 0; round < 3000; ++round) {
        const bool has_modes = round % 2 == 0;
        std::vector<held_and_wanted> pairs(static_cast<std::size_t>(random.between(0, 12)));
        for (held_and_wanted &pair : pairs) {
            const auto held = static_cast<std::uint32_t>(random.between(1, 6));
            const auto wanted = static_cast<std::uint32_t>(random.between(1, 6));
            pair = row_wait(held, wanted, random.between(1, 5));
            if (has_modes && random.percent(50))
                pair = table_wait(held, static_cast<mode>(random.between(2, 8)), wanted,
                                  static_cast<mode>(random.between(1, 8)), pair.times);
        }
        const auto over = distances(pairs);
        std::set<std::size_t> lengths;
        for (const auto &ring : found_in(pairs)) {
            std::set<std::uint32_t> relations;
            std::size_t shortest = 1000000;
            for (std::size_t i = 0; i < ring.size(); ++i) {
                ASSERT_TRUE(is_kept_by(pairs[ring[i]], pairs[ring[(i + 1) % ring.size()]],
                                       conflict_masks{conflicts}));
                relations.insert(pairs[ring[i]].held);
                shortest = std::min(shortest, over[ring[i]][ring[i]]);
            }
            ASSERT_EQ(relations.size(), ring.size());
            ASSERT_EQ(*relations.begin(), pairs[ring[0]].held);
            if (ring.size() > 1) {
                ASSERT_GE(ring.size(), shortest);
                lengths.insert(ring.size());
            }
        }
        // Where all modes are one, each pair that is in a ring has one as short as its shortest.
        for (std::size_t i = 0; !has_modes && i < pairs.size(); ++i) {
            ASSERT_TRUE(over[i][i] == 1000000 || lengths.contains(over[i][i]));
        }
    }
}

} // namespace
