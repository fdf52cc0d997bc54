// lockstep.get_root_blocker: who holds up others and waits for nobody, how bad it is, what to do.
#include "lock_graph/columns.hpp"
#include "lock_graph/impact.hpp"
#include "lock_graph/remedy.hpp"
#include "lock_graph/wait_for_graph.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

class blocker_rows {
  public:
    blocker_rows(FunctionCallInfo call, wait_for_graph &seen)
        : call_(call), graph_(seen), columns_(seen), impacts_(seen) {
        row_.open_pruned_set(call);
    }

    void put(std::int32_t root) {
        const graph::forest::root &top = graph_.forest().roots[static_cast<std::size_t>(root)];
        const impact found = impacts_.of(root);
        row_.add(TimestampTzGetDatum(graph_.snapshot().taken_at));
        row_.add(Int64GetDatum(graph_.root_id(root)));
        if (top.node < 0)
            add_cycle();
        else
            add_session(graph_.process_of(top.node));
        add_impact(top, found);
        add_remedy(remedy_for(graph_, top, found));
        row_.append(call_);
    }

  private:
    void add_cycle() {
        row_.add(text_or_null("cycle"));
        row_.add_nulls(14);
    }

    void add_session(std::int32_t index) {
        const lock_process &process = graph_.process(index);
        const session &who = graph_.session_of(index);
        row_.add(columns_.kind(index));
        row_.add(int_or_null(process.pid));
        row_.add(who.gid);
        row_.add(xid_or_null(process.xid));
        row_.add(who.database);
        row_.add(who.user);
        row_.add(who.application);
        row_.add(who.client);
        row_.add(who.state);
        // A root waits for no lock, but perhaps for its client.
        row_.add(wait_event_value(process, who));
        row_.add(moment_value(who.transaction_started));
        row_.add(since_value(graph_, who.transaction_started));
        row_.add(who.is_active() ? column_value{} : since_value(graph_, who.state_since));
        row_.add(who.query);
        row_.add(who.is_hidden() ? column_value{} : column_value{BoolGetDatum(who.is_active())});
    }

    void add_impact(const graph::forest::root &top, const impact &found) {
        row_.add(found.strongest_mode == 0
                     ? column_value{}
                     : columns_.mode(*found.strongest_lock, found.strongest_mode));
        row_.add(relations_value(found.relations));
        row_.add(int_value(top.direct_blocked));
        row_.add(int_value(top.total_blocked));
        row_.add(int_value(top.frees_now));
        row_.add(int_value(top.max_depth));
        const auto length = [&](std::int64_t passed) {
            return since_value(graph_, graph_.snapshot().taken_at - passed);
        };
        row_.add(length(found.longest_wait));
        row_.add(length(found.sum_wait));
        row_.add(moment_value(found.oldest_start));
        row_.add(int_value(found.waiting_users));
        row_.add(text_or_null(found.chain));
        const std::string &chain = found.chain;
        const auto *bytes = reinterpret_cast<const unsigned char *>(chain.data());
        row_.add(Int64GetDatum(
            static_cast<int64>(hash_bytes_extended(bytes, static_cast<int>(chain.size()), 0))));
    }

    void add_remedy(const remedy &one) {
        row_.add(BoolGetDatum(one.ends_by_itself));
        row_.add(text_or_null(std::string{one.verdict.severity}));
        row_.add(text_or_null(one.verdict.reason));
        row_.add(text_or_null(std::string{one.advice}));
        row_.add(text_or_null(one.action));
    }

    static column_value relations_value(const std::vector<Oid> &relations) {
        const Oid *first = relations.data();
        const int count = static_cast<int>(relations.size());
        return pg_call([=] {
            auto *values =
                static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
            for (int i = 0; i < count; ++i)
                values[i] = ObjectIdGetDatum(first[i]);
            return PointerGetDatum(
                construct_array(values, count, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT));
        });
    }

    FunctionCallInfo call_;
    wait_for_graph &graph_;
    lock_columns columns_;
    impacts impacts_;
    row_builder<34> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_root_blocker) {
    wait_for_graph seen(graph::extent::hard_too);
    blocker_rows rows(fcinfo, seen);
    for (std::size_t root = 0; root < seen.forest().roots.size(); ++root)
        rows.put(static_cast<std::int32_t>(root));
    seen.release();
    PG_RETURN_NULL();
}
