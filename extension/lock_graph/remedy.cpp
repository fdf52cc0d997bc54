#include "lock_graph/remedy.hpp"

#include "lock_graph/settings.hpp"
#include "pg/catalog.hpp"
#include "pg/values.hpp"

namespace lockstep {

// A pid may by then be another session's, so the session's start is asked for too.
std::string action_for(const lock_process &process, const session &who) {
    // Which of the two only the transaction manager knows; so it is no statement yet.
    if (who.gid) {
        const std::string gid = literal(text_of(*who.gid));
        return "COMMIT PREPARED " + gid + " or ROLLBACK PREPARED " + gid;
    }
    if (!who.started || process.auxiliary != 0 || process.autovacuum != 0)
        return {};
    const TimestampTz started = *who.started;
    const std::string at =
        copied(pg_call([started] { return pstrdup(timestamptz_to_str(started)); }));
    return std::string{"SELECT "} +
           (who.is_active() ? "pg_cancel_backend" : "pg_terminate_backend") +
           "(pid) FROM pg_stat_activity WHERE pid = " + std::to_string(process.pid) +
           " AND backend_start = " + literal(at);
}

remedy remedy_for(wait_for_graph &seen, const graph::forest::root &root, const impact &found) {
    remedy one{graph::judge(root.total_blocked, found.longest_wait, blocking_settings::limits()),
               graph::advice_for("cycle", graph::activity::hidden),
               {},
               false};
    if (root.node < 0)
        return one;
    const std::int32_t index = seen.process_of(root.node);
    const session &who = seen.session_of(index);
    const std::string_view kind = seen.kind_of(index);
    one.advice = graph::advice_for(kind, who.doing);
    one.action = action_for(seen.process(index), who);
    one.ends_by_itself = kind == "autovacuum";
    return one;
}

} // namespace lockstep
