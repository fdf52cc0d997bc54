#include "lock_graph/drawing.hpp"

#include "lock_graph/labels.hpp"

#include <set>
#include <tuple>

namespace lockstep {

namespace {

// Longer statements are cut in a drawing.
constexpr int query_characters = 60;

std::string node_label(wait_for_graph &seen, std::int32_t node) {
    std::string label = who_text(seen, node) + "\n" + does_text(seen, node);
    if (const std::string query = short_query(seen, node, query_characters); !query.empty())
        label += (runs_query(seen, node) ? "\n" : "\nlast: ") + query;
    return label;
}

// A line that is drawn through, and one that is not: these two need no word.
std::string edge_label(graph::edge_kind kind) {
    const bool is_plain = kind == graph::edge_kind::hard || kind == graph::edge_kind::soft;
    return is_plain ? "" : std::string{graph::kind_name(kind)};
}

graph::node_look look_of(const graph::forest::node &one) {
    if (one.cycle > 0)
        return graph::node_look::cycle;
    return one.depth == 0 ? graph::node_look::root : graph::node_look::waits;
}

} // namespace

drawing drawing_of(wait_for_graph &seen, bool reduced, std::size_t most) {
    drawing drawn;
    const graph::forest &forest = seen.forest();
    std::vector<std::int32_t> index(forest.nodes.size(), -1);
    for (const std::int32_t node : forest.order) {
        if (drawn.nodes.size() == most)
            break;
        index[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(drawn.nodes.size());
        drawn.nodes.push_back(
            {node_label(seen, node), look_of(forest.nodes[static_cast<std::size_t>(node)])});
    }
    // In the order of the nodes; members of a parallel query are one node.
    std::set<std::tuple<std::int32_t, std::int32_t, graph::edge_kind>> known;
    for (const graph::edge &one : seen.edges()) {
        const std::int32_t waiter = index[static_cast<std::size_t>(seen.node_of(one.waiter))];
        const std::int32_t blocker = index[static_cast<std::size_t>(seen.node_of(one.blocker))];
        if ((one.nearest || !reduced) && waiter >= 0 && blocker >= 0 && waiter != blocker)
            known.emplace(waiter, blocker, one.kind);
    }
    for (const auto &[waiter, blocker, kind] : known)
        drawn.edges.push_back({waiter, blocker, kind, edge_label(kind)});
    if (drawn.nodes.size() < forest.order.size())
        drawn.nodes.push_back(
            {"... and " + std::to_string(forest.order.size() - drawn.nodes.size()) + " more",
             graph::node_look::note});
    if (drawn.nodes.empty())
        drawn.nodes.push_back({nobody_text(seen), graph::node_look::note});
    return drawn;
}

} // namespace lockstep
