// lockstep.get_deadlock_sessions, deadlock_text, deadlock_dot, deadlock_reset.
#include "core/sql_error.hpp"
#include "core/words.hpp"
#include "deadlocks/coverage.h"
#include "deadlocks/history.hpp"
#include "deadlocks/pages.hpp"
#include "deadlocks/ring.h"
#include "pg/page.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

class session_rows {
  public:
    session_rows(FunctionCallInfo call, deadlock_history &history)
        : call_(call), history_(history) {
        row_.open_pruned_set(call);
    }

    void put(const remembered_deadlock &one) {
        const column_value signature = text_or_null(one.signature(history_.names()));
        const column_value advice = text_or_null(one.advice(history_.names()));
        for (std::size_t i = 0; i < one.sessions.size(); ++i) {
            add_deadlock(one);
            row_.add(signature);
            row_.add(advice);
            row_.add(text_or_null(part_of(one, i)));
            row_.add(int_value(static_cast<std::int32_t>(i) + 1));
            add_session(*one.seen, one.sessions[i]);
            row_.append(call_);
        }
    }

  private:
    static const char *part_of(const remembered_deadlock &one, std::size_t i) {
        if (i >= static_cast<std::size_t>(one.seen->members))
            return "bystander";
        return i == 0 && one.has_victim() ? "victim" : "member";
    }

    void add_deadlock(const remembered_deadlock &one) {
        const deadlock_record &seen = *one.seen;
        row_.add(Int64GetDatum(seen.id));
        row_.add(moment_value(seen.detected_at));
        row_.add(history_.activity().database_name(seen.database));
        row_.add(text_or_null(finder_name(seen.found_by)));
        row_.add(text_or_null(fate_name(seen)));
        row_.add(interval_datum(std::int64_t{seen.timeout_ms} * 1000));
        row_.add(int_value(seen.left_off));
        row_.add(one.sessions.front().is_hidden ? column_value{} : text_or_null(one.context));
    }

    void add_session(const deadlock_record &deadlock, const deadlocked &one) {
        const deadlock_session &seen = *one.seen;
        row_.add(int_value(seen.pid));
        row_.add(int_or_null(seen.leader_pid));
        row_.add(int_or_null(seen.blocker_pid));
        row_.add(seen.vxid_local == 0 ? column_value{}
                                      : text_or_null(vxid_text(seen.vxid_slot, seen.vxid_local)));
        row_.add(xid_or_null(seen.xid));
        row_.add(history_.activity().role_name(seen.role));
        row_.add(text_or_null(one.application));
        row_.add(text_or_null(one.is_hidden ? std::string{"<insufficient privilege>"} : one.query));
        row_.add(one.is_hidden || seen.query_id == 0 ? column_value{}
                                                     : column_value{Int64GetDatum(seen.query_id)});
        row_.add(one.is_hidden ? column_value{} : moment_value(seen.transaction_started));
        row_.add(moment_value(seen.wait_started));
        row_.add(seen.wait_started == 0
                     ? column_value{}
                     : column_value{interval_datum(deadlock.detected_at - seen.wait_started)});
        row_.add(seen.lock.method == 0 ? column_value{} : text_or_null(one.at.lock.type));
        row_.add(text_or_null(one.mode));
        row_.add(text_or_null(one.blocker_modes));
        row_.add(oid_or_null(one.at.relation));
        row_.add(one.at.relation == InvalidOid ? column_value{}
                                               : text_or_null(history_.names().relation_name(
                                                     one.at.database, one.at.relation)));
        row_.add(row_place_value(one.at.row));
        row_.add(text_or_null(one.key));
        row_.add(one.at.row ? text_or_null(status_name(one.status)) : column_value{});
        row_.add(text_or_null(one.wanted));
    }

    FunctionCallInfo call_;
    deadlock_history &history_;
    row_builder<33> row_;
};

using page_maker = std::string (*)(deadlock_history &, const remembered_deadlock &);

Datum page_of(FunctionCallInfo fcinfo, page_maker make) {
    require_deadlock_history();
    const std::int64_t id = DatumGetInt64(required_argument(fcinfo, 0, "id"));
    deadlock_history history(id);
    if (history.deadlocks().empty())
        throw sql_error(state::invalid_parameter_value,
                        "there is no deadlock " + std::to_string(id) + " in the history", {},
                        "lockstep.deadlock_history has those that are, as many as "
                        "lockstep.deadlock_history_size says.");
    const std::string page = make(history, history.deadlocks().front());
    history.release();
    return return_page(fcinfo, page);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_deadlock_sessions) {
    deadlock_history history(std::nullopt);
    session_rows rows(fcinfo, history);
    for (const remembered_deadlock &one : history.deadlocks()) {
        check_interrupts();
        rows.put(one);
    }
    history.release();
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_deadlock_text) {
    return page_of(fcinfo, text_page);
}

LOCKSTEP_FUNCTION(lockstep_deadlock_dot) {
    return page_of(fcinfo, dot_page);
}

LOCKSTEP_FUNCTION(lockstep_deadlock_reset) {
    require_deadlock_history();
    pg_call([] {
        lockstep_reset_coverage();
        lockstep_forget_deadlocks();
    });
    PG_RETURN_VOID();
}
