// lockstep.get_lock_tree, lock_tree_text: the graph as a tree, every session once.
#include "lock_graph/columns.hpp"
#include "lock_graph/labels.hpp"
#include "lock_graph/wait_for_graph.hpp"
#include "pg/page.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

graph::branches branches_of_database() {
    return GetDatabaseEncoding() == PG_UTF8 ? graph::branches::box : graph::branches::ascii;
}

class tree_rows {
  public:
    tree_rows(FunctionCallInfo call, wait_for_graph &seen)
        : call_(call), graph_(seen), columns_(seen) {
        row_.open_pruned_set(call);
    }

    void put(const graph::tree_line &line) {
        row_.add(Int64GetDatum(graph_.root_id(line.root)));
        if (line.node < 0)
            add_cycle(line);
        else
            add_node(line);
        row_.append(call_);
    }

  private:
    void add_cycle(const graph::tree_line &line) {
        const graph::forest::root &root =
            graph_.forest().roots[static_cast<std::size_t>(line.root)];
        row_.add(std::nullopt); // node_id
        row_.add(int_value(0));
        row_.add(bigints_value({}));
        row_.add(int_value(++sort_key_));
        row_.add(text_or_null(cycle_text(root)));
        row_.add(std::nullopt); // pid
        row_.add(std::nullopt);
        row_.add(text_or_null("cycle"));
        row_.add_nulls(7);
        row_.add(int_value(root.direct_blocked));
        row_.add(int_value(root.total_blocked));
        row_.add(BoolGetDatum(true));
        row_.add(int_value(root.cycle));
        row_.add(bigints_value({}));
        row_.add(std::nullopt);
    }

    void add_node(const graph::tree_line &line) {
        const graph::forest::node &node =
            graph_.forest().nodes[static_cast<std::size_t>(line.node)];
        const std::int32_t index = graph_.process_of(line.node);
        const std::int32_t wait = graph_.wait_of(line.node);
        const auto who = [&]() -> const session & { return graph_.session_of(index); };
        const waited_row *row = graph_.row_of(wait);
        row_.add(Int64GetDatum(graph_.node_id(line.node)));
        row_.add(int_value(node.depth));
        row_.add([&] { return ids_of(graph_.forest().path_to(line.node)); });
        row_.add(int_value(++sort_key_));
        row_.add([&] { return text_or_null(line.branch + line_text(graph_, line.node)); });
        row_.add(int_or_null(graph_.process(index).pid));
        row_.add(int_or_null(graph_.leader_pid(index)));
        row_.add([&] { return columns_.kind(index); });
        row_.add([&] { return who().gid; });
        row_.add([&] { return who().state; });
        row_.add([&] { return since_value(graph_, who().transaction_started); });
        row_.add([&] { return since_value(graph_, graph_.wait_start_of(line.node)); });
        if (wait < 0) {
            row_.add(std::nullopt);
            row_.add([&] { return columns_.what_else(index); });
            row_.add(std::nullopt);
        } else {
            const lock_wait &one = graph_.snapshot().waits[wait];
            row_.add(columns_.mode(graph_.lock_of(wait), one.mode));
            row_.add([&] { return columns_.what(wait); });
            row_.add([&] { return row == nullptr ? column_value{} : text_or_null(row->key); });
        }
        row_.add(int_value(node.direct_blocked));
        row_.add(int_value(node.total_blocked));
        row_.add(BoolGetDatum(node.cycle > 0));
        row_.add(int_or_null(node.cycle));
        row_.add([&] { return ids_of(node.extra_parents); });
        row_.add([&] { return who().query; });
    }

    [[nodiscard]] column_value ids_of(const std::vector<std::int32_t> &nodes) const {
        std::vector<std::int64_t> ids;
        ids.reserve(nodes.size());
        for (const std::int32_t node : nodes)
            ids.push_back(graph_.node_id(node));
        return bigints_value(ids);
    }

    FunctionCallInfo call_;
    wait_for_graph &graph_;
    lock_columns columns_;
    row_builder<22> row_;
    std::int32_t sort_key_ = 0;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_lock_tree) {
    wait_for_graph seen(graph::extent::hard_too);
    tree_rows rows(fcinfo, seen);
    for (const graph::tree_line &line : graph::draw_tree(seen.forest(), branches_of_database()))
        rows.put(line);
    seen.release();
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_lock_tree_text) {
    wait_for_graph seen(graph::extent::hard_too);
    std::string drawn;
    if (seen.forest().order.empty())
        drawn = nobody_text(seen);
    for (const graph::tree_line &line : graph::draw_tree(seen.forest(), branches_of_database())) {
        drawn += line.branch;
        drawn += line.node >= 0
                     ? line_text(seen, line.node)
                     : cycle_text(seen.forest().roots[static_cast<std::size_t>(line.root)]);
        drawn += '\n';
    }
    seen.release();
    return return_page(fcinfo, drawn);
}
