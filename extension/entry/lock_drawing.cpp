// lockstep.lock_graph_dot, lock_graph_mermaid: the graph in the languages of drawing programs.
#include "locks/labels.hpp"
#include "locks/scene.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <set>

using namespace lockstep;

namespace {

// Longer statements are cut in a drawing.
constexpr int query_characters = 60;

struct drawing {
    std::vector<graph::drawn_node> nodes;
    std::vector<graph::drawn_edge> edges;
};

std::string node_label(scene &seen, std::int32_t node) {
    std::string label = who_text(seen, node) + "\n" + does_text(seen, node);
    if (const std::string query = short_query(seen, node, query_characters); !query.empty())
        label += '\n' + query;
    return label;
}

std::size_t most_nodes(FunctionCallInfo fcinfo) {
    const std::int32_t most = DatumGetInt32(required_argument(fcinfo, 1, "max_nodes"));
    if (most < 1)
        throw sql_error(state::invalid_parameter_value, "max_nodes must be at least 1");
    return static_cast<std::size_t>(most);
}

// The first nodes in the order of the tree, so that what blocks most is there; the rest is
// counted.
drawing draw(FunctionCallInfo fcinfo) {
    const bool reduced = DatumGetBool(required_argument(fcinfo, 0, "reduced"));
    const std::size_t most = most_nodes(fcinfo);
    scene seen(reduced ? graph::extent::hard_too : graph::extent::all);
    drawing drawn;
    const graph::forest &forest = seen.forest();
    std::vector<std::int32_t> index(forest.nodes.size(), -1);
    for (const std::int32_t node : forest.order) {
        if (drawn.nodes.size() == most)
            break;
        const graph::forest::node &one = forest.nodes[static_cast<std::size_t>(node)];
        index[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(drawn.nodes.size());
        drawn.nodes.push_back({node_label(seen, node), one.cycle > 0    ? graph::node_look::cycle
                                                       : one.depth == 0 ? graph::node_look::root
                                                                        : graph::node_look::waits});
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
        drawn.edges.push_back({waiter, blocker, kind, std::string{graph::kind_name(kind)}});
    if (drawn.nodes.size() < forest.order.size())
        drawn.nodes.push_back(
            {"... and " + std::to_string(forest.order.size() - drawn.nodes.size()) + " more",
             graph::node_look::note});
    seen.release();
    return drawn;
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_lock_graph_dot) {
    const drawing drawn = draw(fcinfo);
    return text_datum(graph::draw_dot(drawn.nodes, drawn.edges).c_str());
}

LOCKSTEP_FUNCTION(lockstep_lock_graph_mermaid) {
    const drawing drawn = draw(fcinfo);
    return text_datum(graph::draw_mermaid(drawn.nodes, drawn.edges).c_str());
}
