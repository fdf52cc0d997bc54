// The graph of who waits for whom as a forest: roots are those who wait for nobody, below each
// stands who waits for it. Sessions that wait for each other in a ring are a cycle; a cycle that
// waits for nobody outside is a root of its own, so that no node is ever lost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::graph {

// One node waits for another.
struct arc {
    std::int32_t from;
    std::int32_t to;
    bool nearest; // part of the reduced graph: worth a mention beside the tree
};

struct forest {
    struct node {
        std::int32_t root = -1;   // index in roots
        std::int32_t parent = -1; // node; -1 at a root, and directly below a cycle
        std::int32_t depth = 0;
        std::int32_t cycle = 0; // 0: in no cycle, else numbered from 1
        std::int32_t direct_blocked = 0;
        std::int32_t total_blocked = 0;
        std::vector<std::int32_t> extra_parents; // whom else it waits for, upwards
    };
    struct root {
        std::int32_t node = -1;  // -1: a cycle
        std::int32_t first = -1; // the node; of a cycle the first one in it
        std::int32_t cycle = 0;
        std::int32_t direct_blocked = 0; // of a cycle: those in it
        std::int32_t total_blocked = 0;
        std::int32_t frees_now =
            0; // nodes whose every path ends at this root, and meets no other cycle
        std::int32_t max_depth = 0; // of its tree
        std::int32_t deepest = -1;  // the first node at that depth
    };
    std::vector<node> nodes;
    std::vector<root> roots;         // most blocked first
    std::vector<std::int32_t> order; // every node once, each root followed by its tree

    // From the root to a node, both included; below a cycle from the first node in it.
    [[nodiscard]] std::vector<std::int32_t> path_to(std::int32_t one) const;

    // Who waits for a node directly, upwards.
    [[nodiscard]] std::span<const std::int32_t> waiting_for(std::int32_t blocker) const {
        const auto at = static_cast<std::size_t>(blocker);
        return {waiting.data() + waiting_begin[at], waiting_begin[at + 1] - waiting_begin[at]};
    }
    std::vector<std::size_t> waiting_begin; // by node: its first in `waiting`; one more at the end
    std::vector<std::int32_t> waiting;
};

// Nodes are numbered in the order in which siblings shall stand. Of several ways up the shortest is
// the parent; the same arc may be there twice; an arc from a node to itself is left out.
[[nodiscard]] forest build_forest(std::int32_t nodes, std::span<const arc> arcs);

} // namespace lockstep::graph
