// The forest of who waits for whom, against what a plain table of who reaches whom says of each
// node and each root.
#include "core/graph/forest.hpp"

#include "random_arcs.hpp"
#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using lockstep::graph::arc;
using lockstep::graph::build_forest;
using lockstep::graph::forest;
using lockstep::testing::dice;
using lockstep::testing::random_arcs;
using lockstep::testing::random_seed;

using index = std::int32_t;

std::size_t at(index i) {
    return static_cast<std::size_t>(i);
}

// What there is to know of a graph, by the definitions, however long it takes.
struct facts {
    index count;
    std::vector<std::set<index>> blockers; // by node, without itself
    std::vector<std::set<index>> near;     // ... those of the reduced graph
    std::vector<std::vector<char>> reach;  // over one arc or more
    std::vector<std::set<index>> ring;     // by node: itself and who waits for it in a ring
    std::vector<char> at_top;              // by node: waits for nobody outside its ring
    std::vector<index> distance;           // from the nearest root

    facts(index nodes, const std::vector<arc> &arcs)
        : count(nodes), blockers(at(nodes)), near(at(nodes)),
          reach(at(nodes), std::vector<char>(at(nodes), 0)), ring(at(nodes)), at_top(at(nodes), 1),
          distance(at(nodes), nodes + 1) {
        for (const arc &one : arcs) {
            if (one.from == one.to)
                continue;
            blockers[at(one.from)].insert(one.to);
            if (one.nearest)
                near[at(one.from)].insert(one.to);
            reach[at(one.from)][at(one.to)] = 1;
        }
        for (std::size_t over = 0; over < at(nodes); ++over)
            for (std::size_t from = 0; from < at(nodes); ++from)
                if (reach[from][over] != 0)
                    for (std::size_t to = 0; to < at(nodes); ++to)
                        if (reach[over][to] != 0)
                            reach[from][to] = 1;
        for (index a = 0; a < nodes; ++a)
            for (index b = 0; b < nodes; ++b) {
                if (a == b || (waits(a, b) && waits(b, a)))
                    ring[at(a)].insert(b);
                else if (waits(a, b))
                    at_top[at(a)] = 0;
            }
        measure();
    }

    [[nodiscard]] bool waits(index a, index b) const { return reach[at(a)][at(b)] != 0; }
    [[nodiscard]] bool in_ring(index node) const { return ring[at(node)].size() > 1; }
    // The first node of each root at which the ways from a node end.
    [[nodiscard]] std::set<index> ends(index node) const {
        std::set<index> found;
        for (index other = 0; other < count; ++other)
            if (at_top[at(other)] != 0 && (other == node || waits(node, other)))
                found.insert(*ring[at(other)].begin());
        return found;
    }

  private:
    // Who is in a ring at the top stands below the ring.
    void measure() {
        for (index node = 0; node < count; ++node)
            if (at_top[at(node)] != 0)
                distance[at(node)] = in_ring(node) ? 1 : 0;
        for (bool better = true; better;) {
            better = false;
            for (index node = 0; node < count; ++node)
                for (const index above : blockers[at(node)])
                    if (distance[at(above)] + 1 < distance[at(node)]) {
                        distance[at(node)] = distance[at(above)] + 1;
                        better = true;
                    }
        }
    }
};

void check_nodes(const facts &known, const forest &built) {
    ASSERT_EQ(built.nodes.size(), at(known.count));
    std::set<index> cycles;
    for (index node = 0; node < known.count; ++node) {
        SCOPED_TRACE("node " + std::to_string(node));
        const forest::node &one = built.nodes[at(node)];
        const bool top = known.at_top[at(node)] != 0;
        ASSERT_EQ(one.depth, known.distance[at(node)]);
        ASSERT_TRUE(one.root >= 0 && at(one.root) < built.roots.size());
        if (top) {
            ASSERT_EQ(one.parent, -1);
        } else {
            ASSERT_TRUE(known.blockers[at(node)].contains(one.parent)) << one.parent;
            ASSERT_EQ(one.root, built.nodes[at(one.parent)].root);
            ASSERT_EQ(one.depth, built.nodes[at(one.parent)].depth + 1);
        }

        std::set<index> others = known.near[at(node)];
        others.erase(one.parent);
        ASSERT_EQ(one.extra_parents, std::vector<index>(others.begin(), others.end()));

        index direct = 0;
        index total = 0;
        for (index other = 0; other < known.count; ++other) {
            direct += known.blockers[at(other)].contains(node) ? 1 : 0;
            total += other != node && known.waits(other, node) ? 1 : 0;
            const bool together =
                one.cycle != 0 && one.cycle == built.nodes[at(other)].cycle && other != node;
            ASSERT_EQ(together, other != node && known.ring[at(node)].contains(other)) << other;
        }
        ASSERT_EQ(one.direct_blocked, direct);
        ASSERT_EQ(one.total_blocked, total);
        ASSERT_EQ(one.cycle != 0, known.in_ring(node));
        if (one.cycle != 0)
            cycles.insert(one.cycle);
    }
    // Numbered from 1, without a gap.
    for (index expected = 1; const index cycle : cycles)
        ASSERT_EQ(cycle, expected++);
}

void check_roots(const facts &known, const forest &built) {
    std::set<index> firsts;
    std::vector<std::pair<index, index>> weights;
    for (std::size_t i = 0; i < built.roots.size(); ++i) {
        SCOPED_TRACE("root " + std::to_string(i));
        const forest::root &one = built.roots[i];
        index first = one.node;
        if (first < 0)
            for (index node = known.count; node-- > 0;)
                if (built.nodes[at(node)].cycle == one.cycle)
                    first = node;
        ASSERT_TRUE(first >= 0 && first < known.count);
        ASSERT_NE(known.at_top[at(first)], 0);
        ASSERT_EQ(one.node, known.in_ring(first) ? -1 : first);
        ASSERT_EQ(one.cycle, built.nodes[at(first)].cycle);
        for (const index member : known.ring[at(first)])
            ASSERT_EQ(built.nodes[at(member)].root, static_cast<index>(i));
        ASSERT_TRUE(firsts.insert(first).second);

        index direct = 0;
        index total = 0;
        index frees = 0;
        for (index node = 0; node < known.count; ++node) {
            direct += known.blockers[at(node)].contains(first) ? 1 : 0;
            total += known.waits(node, first) ? 1 : 0;
            // Somebody who waits for nobody is not freed.
            const bool waits = !known.blockers[at(node)].empty();
            // Nor is who is in a ring, or waits for one, unless the root is that ring.
            bool caught = false;
            for (index other = 0; other < known.count; ++other)
                caught =
                    caught || (known.in_ring(other) && !known.ring[at(other)].contains(first) &&
                               (other == node || known.waits(node, other)));
            frees += waits && !caught && known.ends(node) == std::set<index>{first} ? 1 : 0;
        }
        if (one.node < 0)
            direct = static_cast<index>(known.ring[at(first)].size());
        ASSERT_EQ(one.direct_blocked, direct);
        ASSERT_EQ(one.total_blocked, total);
        ASSERT_EQ(one.frees_now, frees);
        weights.emplace_back(-total, first);

        index depth = 0;
        index deepest = -1;
        for (const index node : built.order)
            if (const forest::node &below = built.nodes[at(node)];
                at(below.root) == i && (deepest < 0 || below.depth > depth)) {
                depth = below.depth;
                deepest = node;
            }
        ASSERT_EQ(one.max_depth, depth);
        ASSERT_EQ(one.deepest, deepest);
    }
    // Most blocked first, else in the order of the nodes.
    ASSERT_TRUE(std::ranges::is_sorted(weights));
    std::set<index> all;
    for (index node = 0; node < known.count; ++node)
        if (known.at_top[at(node)] != 0)
            all.insert(*known.ring[at(node)].begin());
    ASSERT_EQ(firsts, all);
}

// Each root followed by its tree, each node by what hangs below it, siblings upwards.
std::vector<index> expected_order(const forest &built) {
    std::vector<index> order;
    const auto write = [&](const auto &self, index root, index parent) -> void {
        for (std::size_t i = 0; i < built.nodes.size(); ++i)
            if (built.nodes[i].root == root && built.nodes[i].parent == parent) {
                order.push_back(static_cast<index>(i));
                self(self, root, static_cast<index>(i));
            }
    };
    for (std::size_t root = 0; root < built.roots.size(); ++root)
        write(write, static_cast<index>(root), -1);
    return order;
}

void check(index nodes, const std::vector<arc> &arcs) {
    const facts known(nodes, arcs);
    const forest built = build_forest(nodes, arcs);
    auto each = built.order;
    std::ranges::sort(each);
    std::vector<index> all(at(nodes));
    std::iota(all.begin(), all.end(), 0);
    ASSERT_EQ(each, all);
    ASSERT_NO_FATAL_FAILURE(check_nodes(known, built));
    ASSERT_EQ(built.order, expected_order(built));
    ASSERT_NO_FATAL_FAILURE(check_roots(known, built));
}

std::string written(const std::vector<arc> &arcs) {
    std::string text;
    for (const arc &one : arcs)
        text +=
            ' ' + std::to_string(one.from) + (one.nearest ? "->" : "~>") + std::to_string(one.to);
    return text;
}

TEST(lock_forest, of_random_graphs_is_what_reachability_says) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 20000; ++round) {
        const index nodes = random.between(0, 14);
        const auto arcs = random_arcs(random, nodes);
        SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(nodes) +
                     " nodes:" + written(arcs));
        ASSERT_NO_FATAL_FAILURE(check(nodes, arcs));
    }
}

// More nodes than a word has bits.
TEST(lock_forest, of_large_random_graphs_is_what_reachability_says) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 60; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        const index nodes = random.between(60, 140);
        ASSERT_NO_FATAL_FAILURE(check(nodes, random_arcs(random, nodes)));
    }
}

TEST(lock_forest, of_nobody_is_empty) {
    const forest none = build_forest(0, {});
    EXPECT_TRUE(none.nodes.empty() && none.roots.empty() && none.order.empty());
}

// A node alone with itself waits for nobody.
TEST(lock_forest, leaves_out_who_waits_for_itself) {
    const std::vector<arc> self{{0, 0, true}};
    const forest one = build_forest(1, self);
    ASSERT_EQ(one.roots.size(), 1U);
    EXPECT_EQ(one.roots[0].node, 0);
    EXPECT_EQ(one.roots[0].frees_now, 0);
    EXPECT_EQ(one.nodes[0].cycle, 0);
    EXPECT_EQ(one.nodes[0].direct_blocked, 0);
    EXPECT_TRUE(one.nodes[0].extra_parents.empty());
}

// Two lone roots and a ring, worked out by hand:
//   2 and 3 wait for 0, 3 for 1 too, 4 for 3; 5 and 6 wait for each other, 7 for 6.
TEST(lock_forest, of_a_small_graph_reads_as_by_hand) {
    const std::vector<arc> arcs{{2, 0, true}, {3, 0, true}, {3, 1, true}, {4, 3, true},
                                {5, 6, true}, {6, 5, true}, {7, 6, true}};
    const forest built = build_forest(8, arcs);
    EXPECT_EQ(built.order, (std::vector<index>{0, 2, 3, 4, 5, 6, 7, 1}));
    ASSERT_EQ(built.roots.size(), 3U);
    const auto row = [&](std::size_t i) {
        const forest::root &one = built.roots[i];
        return std::tuple{one.node,      one.cycle,     one.direct_blocked, one.total_blocked,
                          one.frees_now, one.max_depth, one.deepest};
    };
    EXPECT_EQ(row(0), (std::tuple{0, 0, 2, 3, 1, 2, 4}));
    EXPECT_EQ(row(1), (std::tuple{-1, 1, 2, 3, 3, 2, 7}));
    EXPECT_EQ(row(2), (std::tuple{1, 0, 1, 2, 0, 0, 1}));
    EXPECT_EQ(built.nodes[3].extra_parents, std::vector<index>{1});
    EXPECT_EQ(built.nodes[5].extra_parents, std::vector<index>{6});
}

TEST(lock_forest, of_a_long_chain_is_one_deep_tree) {
    constexpr index length = 5000;
    // Named from the top and from the bottom, so that the search goes down it both ways.
    for (const bool upwards : {true, false}) {
        const auto name = [&](index i) { return upwards ? i : length - 1 - i; };
        std::vector<arc> arcs;
        for (index i = 1; i < length; ++i)
            arcs.push_back({name(i), name(i - 1), true});
        const forest built = build_forest(length, arcs);
        ASSERT_EQ(built.roots.size(), 1U);
        EXPECT_EQ(built.roots[0].node, name(0));
        EXPECT_EQ(built.roots[0].frees_now, length - 1);
        EXPECT_EQ(built.roots[0].max_depth, length - 1);
        EXPECT_EQ(built.roots[0].deepest, name(length - 1));
        for (index i = 0; i < length; ++i) {
            ASSERT_EQ(built.order[at(i)], name(i));
            ASSERT_EQ(built.nodes[at(name(i))].depth, i);
            ASSERT_EQ(built.nodes[at(name(i))].total_blocked, length - 1 - i);
        }
    }
}

TEST(lock_forest, of_a_long_ring_is_one_flat_cycle) {
    constexpr index length = 5000;
    std::vector<arc> arcs;
    arcs.reserve(at(length));
    for (index i = 0; i < length; ++i)
        arcs.push_back({i, (i + 1) % length, true});
    const forest built = build_forest(length, arcs);
    ASSERT_EQ(built.roots.size(), 1U);
    EXPECT_EQ(built.roots[0].node, -1);
    EXPECT_EQ(built.roots[0].total_blocked, length);
    EXPECT_EQ(built.roots[0].frees_now, length);
    for (const forest::node &one : built.nodes) {
        ASSERT_EQ(one.depth, 1);
        ASSERT_EQ(one.parent, -1);
        ASSERT_EQ(one.cycle, 1);
        ASSERT_EQ(one.total_blocked, length - 1);
    }
}

} // namespace
