// lockstep.lock_graph_dot, lock_graph_mermaid: the graph in the languages of drawing programs.
#include "lock_graph/drawing.hpp"
#include "lock_graph/wait_for_graph.hpp"
#include "pg/page.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

using namespace lockstep;

namespace {

using writer = std::string (*)(std::span<const graph::drawn_node>,
                               std::span<const graph::drawn_edge>);

Datum draw(FunctionCallInfo fcinfo, writer write) {
    const bool reduced = DatumGetBool(required_argument(fcinfo, 0, "reduced"));
    const std::int32_t most = DatumGetInt32(required_argument(fcinfo, 1, "max_nodes"));
    if (most < 1)
        throw sql_error(state::invalid_parameter_value, "max_nodes must be at least 1");
    wait_for_graph seen(reduced ? graph::extent::hard_too : graph::extent::all);
    const drawing drawn = drawing_of(seen, reduced, static_cast<std::size_t>(most));
    seen.release();
    return return_page(fcinfo, write(drawn.nodes, drawn.edges));
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_lock_graph_dot) {
    return draw(fcinfo, graph::draw_dot);
}

LOCKSTEP_FUNCTION(lockstep_lock_graph_mermaid) {
    return draw(fcinfo, graph::draw_mermaid);
}
