// lockstep.get_lock_graph, get_lock_graph_all: who waits for whom at one instant, one row an edge.
#include "lock_graph/columns.hpp"
#include "lock_graph/wait_for_graph.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

// The reduced graph: every column, for people and monitoring.
class wide_rows {
  public:
    wide_rows(FunctionCallInfo call, wait_for_graph &seen)
        : call_(call), graph_(seen), columns_(seen) {
        row_.open_pruned_set(call);
    }

    void put(const graph::edge &one) {
        const std::int32_t wait = one.wait;
        row_.add(TimestampTzGetDatum(graph_.snapshot().taken_at));
        add_waiter(one.waiter);
        add_wait(one);
        row_.add(columns_.edge_kind(one.kind));
        row_.add(BoolGetDatum(one.nearest));
        row_.add(BoolGetDatum(one.same_group));
        add_blocker(one);
        add_lock(one);
        add_row(wait);
        const graph::forest::node &node =
            graph_.forest().nodes[static_cast<std::size_t>(graph_.node_of(one.waiter))];
        row_.add(int_or_null(node.cycle));
        row_.add(Int64GetDatum(graph_.root_id(node.root)));
        row_.add(int_value(node.depth));
        row_.append(call_);
    }

  private:
    void add_waiter(std::int32_t index) {
        const lock_process &process = graph_.process(index);
        row_.add(int_or_null(process.pid));
        row_.add(int_or_null(graph_.leader_pid(index)));
        if (row_.passes_unread(9))
            return;
        const session &who = graph_.session_of(index);
        row_.add(columns_.kind(index));
        row_.add(who.vxid);
        row_.add(xid_or_null(process.xid));
        row_.add(who.database);
        row_.add(who.user);
        row_.add(who.application);
        row_.add(who.client);
        row_.add(who.query_id);
        row_.add(who.query);
    }

    void add_wait(const graph::edge &edge) {
        const std::int32_t wait = edge.wait;
        if (wait < 0) {
            const TimestampTz started = graph_.submit_start_of(edge.waiter);
            row_.add(std::nullopt);
            row_.add(moment_value(started));
            row_.add([&] { return since_value(graph_, started); });
            row_.add_nulls(2);
            return;
        }
        const lock_wait &one = graph_.snapshot().waits[wait];
        row_.add(columns_.mode(graph_.lock_of(wait), one.mode));
        row_.add(moment_value(one.started));
        row_.add([&] { return since_value(graph_, one.started); });
        row_.add(int_value(graph_.queue_position(wait)));
        row_.add(int_value(graph_.lock_of(wait).waits));
    }

    void add_blocker(const graph::edge &one) {
        const lock_process &process = graph_.process(one.blocker);
        row_.add([&] { return columns_.kind(one.blocker); });
        row_.add(int_or_null(process.pid));
        row_.add(int_or_null(graph_.leader_pid(one.blocker)));
        if (!row_.passes_unread(12))
            add_blocking_session(one.blocker);
        if (one.proclock < 0) {
            row_.add_nulls(2);
            return;
        }
        const lock_object &lock = graph_.lock_of(one.wait);
        const std::uint32_t held = graph_.snapshot().proclocks[one.proclock].held;
        row_.add(held == 0 ? column_value{} : columns_.modes(lock, held));
        row_.add([&] { return wanted_by(one.blocker, lock); });
    }

    void add_blocking_session(std::int32_t index) {
        const session &who = graph_.session_of(index);
        row_.add(who.gid);
        row_.add(xid_or_null(graph_.process(index).xid));
        row_.add(who.vxid);
        row_.add(who.database);
        row_.add(who.user);
        row_.add(who.application);
        row_.add(who.client);
        row_.add(who.state);
        row_.add(moment_value(who.transaction_started));
        row_.add(moment_value(who.state_since));
        row_.add(who.query);
        row_.add(who.is_hidden() ? column_value{} : column_value{BoolGetDatum(who.is_active())});
    }

    // The mode that the blocker itself waits for on the same lock.
    column_value wanted_by(std::int32_t blocker, const lock_object &lock) {
        if (wait_of_.empty()) {
            wait_of_.assign(static_cast<std::size_t>(graph_.snapshot().process_count), -1);
            for (std::int32_t i = 0; i < graph_.snapshot().wait_count; ++i)
                wait_of_[static_cast<std::size_t>(graph_.snapshot().waits[i].process)] = i;
        }
        const std::int32_t wait = wait_of_[static_cast<std::size_t>(blocker)];
        if (wait < 0 || &graph_.lock_of(wait) != &lock)
            return {};
        return columns_.mode(lock, graph_.snapshot().waits[wait].mode);
    }

    void add_lock(const graph::edge &one) {
        if (row_.passes_unread(10))
            return;
        const std::int32_t wait = one.wait;
        if (wait < 0) {
            row_.add_nulls(9);
            row_.add(columns_.what_else(one.waiter));
            return;
        }
        const lock_place &place = graph_.place_of_lock(graph_.snapshot().waits[wait].lock);
        const waited_row *row = graph_.row_of(wait);
        const bool has_row = row != nullptr && row->relation != InvalidOid;
        const auto relation = graph_.relation_of(wait);
        const std::optional<Oid> database = relation ? relation->database : place.database;
        const column_value oid = relation ? oid_or_null(relation->oid) : column_value{};
        row_.add(columns_.lock_type(graph_.lock_of(wait)));
        row_.add(database ? graph_.database_name(*database) : column_value{});
        row_.add(relation && graph_.names().shows(relation->database) ? oid : column_value{});
        row_.add(oid);
        row_.add(has_row ? place_of_row(*row) : row_place_value(place.row));
        row_.add(xid_or_null(place.xid));
        row_.add(text_or_null(place.vxid));
        row_.add(text_or_null(place.object));
        row_.add(text_or_null(place.advisory_key));
        row_.add(columns_.what(wait));
    }

    void add_row(std::int32_t wait) {
        if (row_.passes_unread(3))
            return;
        const waited_row *row = graph_.row_of(wait);
        if (row == nullptr) {
            row_.add_nulls(3);
            return;
        }
        const bool by_tag = graph_.lock_of(wait).is_tuple != 0;
        row_.add(row->relation == InvalidOid ? column_value{}
                                             : columns_.constant(row->from_log ? "log_context"
                                                                 : by_tag      ? "tag"
                                                                          : "held_tuple_lock"));
        row_.add(key_of_row(*row));
        row_.add(columns_.constant(status_name(row->status)));
    }

    // The waits of one queue are for one row: it is made into values once.
    column_value place_of_row(const waited_row &row) {
        keep(row);
        return last_place_;
    }
    column_value key_of_row(const waited_row &row) {
        keep(row);
        return last_key_;
    }
    void keep(const waited_row &row) {
        if (last_row_ == &row)
            return;
        last_row_ = &row;
        last_place_ =
            row_place_value(row.relation != InvalidOid ? std::optional{row.place} : std::nullopt);
        last_key_ = text_or_null(row.key);
    }

    FunctionCallInfo call_;
    wait_for_graph &graph_;
    lock_columns columns_;
    row_builder<53> row_;
    const waited_row *last_row_ = nullptr;
    column_value last_place_;
    column_value last_key_;
    std::vector<std::int32_t> wait_of_; // by process of the snapshot: its wait, or -1
};

// Every edge: just what is needed to tell them apart, because there may be very many.
class narrow_rows {
  public:
    narrow_rows(FunctionCallInfo call, wait_for_graph &seen)
        : call_(call), graph_(seen), columns_(seen) {
        row_.open_pruned_set(call);
    }

    void put(const graph::edge &one) {
        const lock_process &blocker = graph_.process(one.blocker);
        row_.add(TimestampTzGetDatum(graph_.snapshot().taken_at));
        row_.add(int_or_null(graph_.process(one.waiter).pid));
        row_.add(int_or_null(graph_.leader_pid(one.waiter)));
        row_.add(columns_.edge_kind(one.kind));
        row_.add(BoolGetDatum(one.nearest));
        row_.add(BoolGetDatum(one.same_group));
        row_.add([&] { return columns_.kind(one.blocker); });
        row_.add(int_or_null(blocker.pid));
        row_.add(int_or_null(graph_.leader_pid(one.blocker)));
        row_.add(xid_or_null(blocker.xid));
        if (one.wait < 0) {
            row_.add_nulls(7);
            row_.add([&] { return columns_.what_else(one.waiter); });
        } else if (!row_.passes_unread(8)) {
            add_wait(one);
        }
        row_.append(call_);
    }

  private:
    void add_wait(const graph::edge &one) {
        const lock_object &lock = graph_.lock_of(one.wait);
        const lock_place &place = graph_.place_of_lock(graph_.snapshot().waits[one.wait].lock);
        const std::uint32_t held =
            one.proclock < 0 ? 0 : graph_.snapshot().proclocks[one.proclock].held;
        row_.add(columns_.mode(lock, graph_.snapshot().waits[one.wait].mode));
        row_.add(held == 0 ? column_value{} : columns_.modes(lock, held));
        row_.add(int_value(graph_.queue_position(one.wait)));
        row_.add(int_value(lock.waits));
        row_.add(columns_.lock_type(lock));
        row_.add(oid_or_null(place.relation));
        row_.add(xid_or_null(place.xid));
        row_.add(columns_.what(one.wait));
    }

    FunctionCallInfo call_;
    wait_for_graph &graph_;
    lock_columns columns_;
    row_builder<18> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_lock_graph) {
    wait_for_graph seen(graph::extent::hard_too);
    wide_rows rows(fcinfo, seen);
    for (const graph::edge *one : seen.edges_in_tree_order())
        rows.put(*one);
    seen.release();
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_get_lock_graph_all) {
    wait_for_graph seen(graph::extent::all);
    narrow_rows rows(fcinfo, seen);
    std::size_t count = 0;
    for (const graph::edge &one : seen.edges()) {
        rows.put(one);
        if (++count % 4096 == 0)
            check_interrupts();
    }
    seen.release();
    PG_RETURN_NULL();
}
