// The graph drawn: a tree for a terminal, a graph for Graphviz, one for Mermaid. Labels are any
// text; whatever has a meaning in the target's own language is made harmless.
#pragma once

#include "core/graph/edges.hpp"
#include "core/graph/forest.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::graph {

enum class branches : std::uint8_t { ascii, box };

// The lines of the forest from the top, one a node, and one before each cycle that is a root.
struct tree_line {
    std::int32_t root;
    std::int32_t node;  // -1: the heading of a cycle
    std::string branch; // what stands before the label; cut short where the tree is very deep
};
[[nodiscard]] std::vector<tree_line> draw_tree(const forest &built, branches style);

enum class node_look : std::uint8_t { waits, root, cycle, note };

struct drawn_node {
    std::string label; // lines end in \n
    node_look look;
};

struct drawn_edge {
    std::int32_t waiter; // index of a drawn node
    std::int32_t blocker;
    edge_kind kind;
    std::string label; // none: the line's style says all
};

// Edges point from who waits to whom it waits for; who blocks stands above.
[[nodiscard]] std::string draw_dot(std::span<const drawn_node> nodes,
                                   std::span<const drawn_edge> edges);
[[nodiscard]] std::string draw_mermaid(std::span<const drawn_node> nodes,
                                       std::span<const drawn_edge> edges);

[[nodiscard]] std::string_view kind_name(edge_kind kind);

} // namespace lockstep::graph
