// Who waits for whom, against the rules of pg_blocking_pids() spelled out pair by pair; and the
// reduced graph against what all the edges reach.
#include "core/graph/edges.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using lockstep::graph::edge;
using lockstep::graph::edge_kind;
using lockstep::graph::edges_of;
using lockstep::graph::extent;
using lockstep::testing::dice;
using lockstep::testing::random_seed;

using index = std::int32_t;

std::size_t at(index i) {
    return static_cast<std::size_t>(i);
}

// The server's modes, as in the manual's table of conflicts.
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
constexpr std::array<std::pair<mode, mode>, 21> server_conflicts{
    {{access_share, access_exclusive},
     {row_share, exclusive},
     {row_share, access_exclusive},
     {row_exclusive, share},
     {row_exclusive, share_row_exclusive},
     {row_exclusive, exclusive},
     {row_exclusive, access_exclusive},
     {share_update_exclusive, share_update_exclusive},
     {share_update_exclusive, share},
     {share_update_exclusive, share_row_exclusive},
     {share_update_exclusive, exclusive},
     {share_update_exclusive, access_exclusive},
     {share, share_row_exclusive},
     {share, exclusive},
     {share, access_exclusive},
     {share_row_exclusive, share_row_exclusive},
     {share_row_exclusive, exclusive},
     {share_row_exclusive, access_exclusive},
     {exclusive, exclusive},
     {exclusive, access_exclusive},
     {access_exclusive, access_exclusive}}};

constexpr std::uint32_t bit(int of) {
    return 1U << of;
}

// A lock to be put into a snapshot: who holds what, and who waits for which mode, in this order.
struct plan {
    struct party {
        index process;
        std::uint32_t held;
    };
    struct queued {
        index process;
        int mode;
    };
    std::vector<party> proclocks;
    std::vector<queued> queue;
    bool is_tuple = false;
    bool in_group = false;
    std::uint8_t method = 1;
};

// A snapshot and what it points at.
class lock_snapshot_builder {
  public:
    explicit lock_snapshot_builder(const std::vector<index> &leaders) {
        for (const index leader : leaders) {
            lock_process one{};
            one.leader = leader;
            one.pid = 1000 + static_cast<index>(processes_.size());
            processes_.push_back(one);
        }
        for (const auto &[one, other] : server_conflicts)
            oppose(1, one, other);
    }

    void oppose(std::size_t method, int one, int other) {
        snapshot_.conflicts[method][one] |= bit(other);
        snapshot_.conflicts[method][other] |= bit(one);
    }

    // The blocks of a lock stand where its turn in `layout` comes; the locks keep their order.
    void place(const std::vector<plan> &plans, const std::vector<std::size_t> &layout) {
        locks_.resize(plans.size());
        for (const std::size_t i : layout) {
            const plan &one = plans[i];
            lock_object lock{};
            lock.method = one.method;
            lock.is_tuple = one.is_tuple ? 1 : 0;
            lock.in_group = one.in_group ? 1 : 0;
            lock.first_proclock = static_cast<index>(proclocks_.size());
            lock.proclocks = static_cast<index>(one.proclocks.size());
            lock.first_wait = static_cast<index>(waits_.size());
            lock.waits = static_cast<index>(one.queue.size());
            for (const auto &[process, held] : one.proclocks)
                proclocks_.push_back({process, held});
            for (const auto &[process, mode] : one.queue) {
                lock_wait wait{};
                wait.process = process;
                wait.lock = static_cast<index>(i);
                wait.mode = mode;
                waits_.push_back(wait);
            }
            locks_[i] = lock;
        }
    }
    void place(const plan &only) { place({only}, {0}); }

    const lock_snapshot &snapshot() {
        snapshot_.processes = processes_.data();
        snapshot_.locks = locks_.data();
        snapshot_.proclocks = proclocks_.data();
        snapshot_.waits = waits_.data();
        snapshot_.process_count = static_cast<index>(processes_.size());
        snapshot_.lock_count = static_cast<index>(locks_.size());
        snapshot_.proclock_count = static_cast<index>(proclocks_.size());
        snapshot_.wait_count = static_cast<index>(waits_.size());
        return snapshot_;
    }

  private:
    lock_snapshot snapshot_{};
    std::vector<lock_process> processes_;
    std::vector<lock_object> locks_;
    std::vector<lock_proclock> proclocks_;
    std::vector<lock_wait> waits_;
};

std::vector<index> loners(index count) {
    std::vector<index> leaders(at(count));
    std::iota(leaders.begin(), leaders.end(), 0);
    return leaders;
}

// An edge without its mark, to be compared and sorted.
using plain_edge = std::tuple<index, index, index, index, edge_kind, bool>;

plain_edge plain(const edge &one) {
    return {one.wait, one.proclock, one.waiter, one.blocker, one.kind, one.same_group};
}

std::vector<plain_edge> sorted(const std::vector<edge> &edges) {
    std::vector<plain_edge> all;
    all.reserve(edges.size());
    for (const edge &one : edges)
        all.push_back(plain(one));
    std::ranges::sort(all);
    return all;
}

std::vector<edge> chosen(const std::vector<edge> &edges, bool hard_too) {
    std::vector<edge> some;
    for (const edge &one : edges)
        if (one.nearest || (hard_too && one.kind == edge_kind::hard))
            some.push_back(one);
    return some;
}

// The rule, for each wait and each proclock.
std::vector<edge> by_the_rule(const lock_snapshot &snapshot) {
    std::vector<edge> edges;
    for (index l = 0; l < snapshot.lock_count; ++l) {
        const lock_object &lock = snapshot.locks[l];
        for (index w = lock.first_wait; w < lock.first_wait + lock.waits; ++w) {
            const lock_wait &wait = snapshot.waits[w];
            const std::uint32_t conflicts = snapshot.conflicts[lock.method][wait.mode];
            for (index c = lock.first_proclock; c < lock.first_proclock + lock.proclocks; ++c) {
                const lock_proclock &proclock = snapshot.proclocks[c];
                const bool same_group = snapshot.processes[proclock.process].leader ==
                                        snapshot.processes[wait.process].leader;
                if (proclock.process == wait.process || (same_group && lock.in_group == 0))
                    continue;
                bool ahead = false;
                for (index o = lock.first_wait; o < w; ++o)
                    ahead = ahead || (snapshot.waits[o].process == proclock.process &&
                                      (conflicts & bit(snapshot.waits[o].mode)) != 0);
                const bool holds = (proclock.held & conflicts) != 0;
                if (holds || ahead)
                    edges.push_back({wait.process, proclock.process, w, c,
                                     holds ? edge_kind::hard : edge_kind::soft, false, same_group});
            }
        }
    }
    return edges;
}

using matrix = std::vector<std::vector<char>>;

// Who reaches whom over one arc or more.
matrix closure(std::size_t count, const std::vector<std::pair<index, index>> &arcs) {
    matrix reach(count, std::vector<char>(count, 0));
    for (const auto &[from, to] : arcs)
        reach[at(from)][at(to)] = 1;
    for (std::size_t over = 0; over < count; ++over)
        for (std::size_t from = 0; from < count; ++from)
            if (reach[from][over] != 0)
                for (std::size_t to = 0; to < count; ++to)
                    if (reach[over][to] != 0)
                        reach[from][to] = 1;
    return reach;
}

matrix reached(const lock_snapshot &snapshot, const std::vector<edge> &edges, bool leaders) {
    std::vector<std::pair<index, index>> arcs;
    arcs.reserve(edges.size());
    for (const edge &one : edges)
        arcs.emplace_back(leaders ? snapshot.processes[one.waiter].leader : one.waiter,
                          leaders ? snapshot.processes[one.blocker].leader : one.blocker);
    return closure(at(snapshot.process_count), arcs);
}

// A holder that queues behind somebody whom it blocks.
bool leads_backwards(const lock_snapshot &snapshot, const edge &one) {
    const lock_object &lock = snapshot.locks[snapshot.waits[one.wait].lock];
    for (index w = one.wait + 1; w < lock.first_wait + lock.waits; ++w)
        if (snapshot.waits[w].process == one.blocker)
            return true;
    return false;
}

// Where no edge of the lock leads backwards there is only one way to leave out what is implied:
// every edge stays that has to, and every one without a way round it.
void expect_exactly_what_is_not_implied(const lock_snapshot &snapshot, index l,
                                        const std::vector<edge> &all) {
    const lock_object &lock = snapshot.locks[l];
    std::vector<edge> here;
    for (const edge &one : all)
        if (snapshot.waits[one.wait].lock == l)
            here.push_back(one);
    if (std::ranges::any_of(here, [&](const edge &one) { return leads_backwards(snapshot, one); }))
        return;
    const matrix reach = reached(snapshot, here, false);
    for (const edge &one : here) {
        const bool way_round = std::ranges::any_of(here, [&](const edge &first) {
            return first.waiter == one.waiter && reach[at(first.blocker)][at(one.blocker)] != 0;
        });
        const bool must_stay = one.kind == edge_kind::hard && lock.is_tuple == 0;
        ASSERT_EQ(one.nearest, must_stay || !way_round)
            << "lock " << l << ": " << one.waiter << " to " << one.blocker;
    }
}

void expect_queue_order(const lock_snapshot &snapshot, const std::vector<edge> &edges) {
    for (std::size_t i = 1; i < edges.size(); ++i) {
        const index before = edges[i - 1].wait;
        const index after = edges[i].wait;
        ASSERT_LE(std::pair(snapshot.waits[before].lock, before),
                  std::pair(snapshot.waits[after].lock, after));
    }
}

void check(const lock_snapshot &snapshot) {
    const std::vector<edge> all = edges_of(snapshot, extent::all);
    const std::vector<edge> hard_too = edges_of(snapshot, extent::hard_too);
    const std::vector<edge> reduced = edges_of(snapshot, extent::reduced);

    ASSERT_EQ(sorted(all), sorted(by_the_rule(snapshot)));
    ASSERT_EQ(sorted(reduced), sorted(chosen(all, false)));
    ASSERT_EQ(sorted(hard_too), sorted(chosen(all, true)));
    ASSERT_EQ(sorted(chosen(hard_too, false)), sorted(reduced));
    for (const edge &one : reduced)
        ASSERT_TRUE(one.nearest) << one.waiter << " to " << one.blocker;
    for (const edge &one : all) {
        const bool row = snapshot.locks[snapshot.waits[one.wait].lock].is_tuple != 0;
        ASSERT_TRUE(one.nearest || row || one.kind != edge_kind::hard)
            << one.waiter << " to " << one.blocker;
    }
    for (const auto *const edges : {&all, &hard_too, &reduced})
        ASSERT_NO_FATAL_FAILURE(expect_queue_order(snapshot, *edges));

    ASSERT_EQ(reached(snapshot, reduced, false), reached(snapshot, all, false));
    ASSERT_EQ(reached(snapshot, reduced, true), reached(snapshot, all, true));
    for (index l = 0; l < snapshot.lock_count; ++l)
        ASSERT_NO_FATAL_FAILURE(expect_exactly_what_is_not_implied(snapshot, l, all));
}

// Some processes, about a third of them in somebody else's group.
std::vector<index> random_leaders(dice &random, index count) {
    std::vector<index> order = loners(count);
    std::ranges::shuffle(order, random.engine());
    std::vector<index> leaders(at(count));
    std::vector<index> known;
    const int joining = random.percent(50) ? 35 : 0;
    for (const index process : order) {
        if (!known.empty() && random.percent(joining))
            leaders[at(process)] = known[at(random.below(known.size()))];
        else {
            leaders[at(process)] = process;
            known.push_back(process);
        }
    }
    return leaders;
}

plan random_plan(dice &random, index processes, std::vector<index> queue) {
    plan one;
    one.is_tuple = random.percent(30);
    one.in_group = random.percent(20);
    one.method = random.percent(20) ? 2 : 1;
    // A few modes make long queues of the same kind.
    std::vector<int> modes;
    for (int i = random.between(1, 4); i > 0; --i)
        modes.push_back(random.between(1, 8));
    const auto any_mode = [&] { return modes[at(random.below(modes.size()))]; };
    const int holding = random.percent(50) ? 0 : random.between(5, 60);
    const int others = random.between(0, 60);
    std::ranges::shuffle(queue, random.engine());
    std::vector<char> queues(at(processes), 0);
    for (const index process : queue) {
        one.queue.push_back({process, any_mode()});
        one.proclocks.push_back({process, random.percent(holding) ? bit(any_mode()) : 0});
        queues[at(process)] = 1;
    }
    for (index process = 0; process < processes; ++process)
        if (queues[at(process)] == 0 && random.percent(others))
            one.proclocks.push_back(
                {process, bit(any_mode()) | (random.percent(50) ? bit(any_mode()) : 0)});
    std::ranges::shuffle(one.proclocks, random.engine());
    return one;
}

// Any locks, any holders; a process waits for one lock at most.
void check_random_snapshot(dice &random, index processes, std::size_t locks) {
    lock_snapshot_builder made(random_leaders(random, processes));
    for (int i = random.between(0, 12); i > 0; --i)
        made.oppose(2, random.between(1, 8), random.between(1, 8));
    const int waiting = random.between(20, 100);
    std::vector<std::vector<index>> queues(locks);
    for (index process = 0; process < processes; ++process)
        if (random.percent(waiting))
            queues[at(random.below(locks))].push_back(process);
    std::vector<plan> plans;
    plans.reserve(locks);
    for (auto &queue : queues)
        plans.push_back(random_plan(random, processes, std::move(queue)));
    std::vector<std::size_t> layout(locks);
    std::iota(layout.begin(), layout.end(), 0);
    std::ranges::shuffle(layout, random.engine());
    made.place(plans, layout);
    check(made.snapshot());
}

TEST(lock_edges, of_random_snapshots_follow_the_rule) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 20000; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        ASSERT_NO_FATAL_FAILURE(
            check_random_snapshot(random, random.between(1, 14), at(random.between(1, 4))));
    }
}

// More parties than a word has bits.
TEST(lock_edges, of_long_queues_follow_the_rule) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 60; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        ASSERT_NO_FATAL_FAILURE(
            check_random_snapshot(random, random.between(60, 150), at(random.between(1, 2))));
    }
}

TEST(lock_edges, of_nothing_are_none) {
    lock_snapshot_builder nobody({});
    EXPECT_TRUE(edges_of(nobody.snapshot(), extent::all).empty());
    lock_snapshot_builder idle(loners(2));
    idle.place({{{0, bit(exclusive)}, {1, bit(exclusive)}}, {}});
    EXPECT_TRUE(edges_of(idle.snapshot(), extent::all).empty());
}

TEST(lock_edges, of_a_hot_row_are_as_many_as_its_waiters) {
    constexpr index waiters = 1000;
    lock_snapshot_builder row(loners(waiters + 1));
    plan line;
    line.is_tuple = true;
    line.proclocks.push_back({waiters, bit(exclusive)}); // the first in the line
    for (index i = 0; i < waiters; ++i) {
        line.proclocks.push_back({i, 0});
        line.queue.push_back({i, exclusive});
    }
    row.place(line);
    const auto reduced = edges_of(row.snapshot(), extent::reduced);
    ASSERT_EQ(reduced.size(), at(waiters));
    for (index i = 0; i < waiters; ++i) {
        EXPECT_EQ(reduced[at(i)].waiter, i);
        EXPECT_EQ(reduced[at(i)].blocker, i == 0 ? waiters : i - 1);
        EXPECT_EQ(reduced[at(i)].kind, i == 0 ? edge_kind::hard : edge_kind::soft);
    }
    // All wait for the first in the line, too: that edge is one of the reduced ones but once.
    EXPECT_EQ(edges_of(row.snapshot(), extent::hard_too).size(), at(2 * waiters - 1));
    EXPECT_EQ(edges_of(row.snapshot(), extent::all).size(), at(waiters * (waiters + 1) / 2));
}

TEST(lock_edges, of_readers_lead_to_the_one_writer) {
    constexpr index readers = 1000;
    constexpr index writer = readers;
    constexpr index holder = readers + 1;
    // The writer holds the table, or waits for it ahead of the readers.
    for (const bool writes : {true, false}) {
        SCOPED_TRACE(writes);
        lock_snapshot_builder table(loners(readers + 2));
        plan lock;
        lock.proclocks.push_back({writer, writes ? bit(access_exclusive) : 0});
        if (!writes) {
            lock.proclocks.push_back({holder, bit(access_share)});
            lock.queue.push_back({writer, access_exclusive});
        }
        for (index i = 0; i < readers; ++i) {
            lock.proclocks.push_back({i, 0});
            lock.queue.push_back({i, access_share});
        }
        table.place(lock);
        for (const extent wanted : {extent::reduced, extent::hard_too, extent::all}) {
            const auto edges = edges_of(table.snapshot(), wanted);
            ASSERT_EQ(edges.size(), at(readers + (writes ? 0 : 1)));
            for (const edge &one : edges) {
                EXPECT_EQ(one.blocker, one.waiter == writer ? holder : writer);
                EXPECT_EQ(one.kind == edge_kind::hard, writes || one.waiter == writer);
            }
        }
    }
}

TEST(lock_edges, inside_a_group_exist_for_the_right_to_extend_alone) {
    for (const bool extends : {false, true}) {
        lock_snapshot_builder group({0, 0, 2});
        plan lock;
        lock.in_group = extends;
        lock.proclocks = {{0, bit(exclusive)}, {1, 0}, {2, 0}};
        lock.queue = {{1, exclusive}, {2, exclusive}};
        group.place(lock);
        const auto edges = edges_of(group.snapshot(), extent::all);
        ASSERT_EQ(edges.size(), extends ? 3U : 2U);
        for (const edge &one : edges)
            EXPECT_EQ(one.same_group, one.waiter == 1);
    }
}

} // namespace
