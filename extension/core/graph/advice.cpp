#include "core/graph/advice.hpp"

#include "core/words.hpp"

namespace lockstep::graph {

namespace {

std::string sessions_text(std::int32_t count) {
    return std::to_string(count) + (count == 1 ? " session waits" : " sessions wait");
}

} // namespace

verdict judge(std::int32_t blocked, std::int64_t longest_wait, const blocking_limits &limits) {
    const std::string count = sessions_text(blocked);
    const std::string time = "the longest for " + duration_text(longest_wait);
    if (longest_wait > limits.critical_wait)
        return {"critical",
                count + ", " + time + " (limit " + duration_text(limits.critical_wait) + ')'};
    if (blocked >= limits.critical_sessions)
        return {"critical",
                count + " (limit " + std::to_string(limits.critical_sessions) + "), " + time};
    if (blocked >= limits.warning_sessions && longest_wait > limits.warning_wait)
        return {"warning", count + " (limit " + std::to_string(limits.warning_sessions) + "), " +
                               time + " (limit " + duration_text(limits.warning_wait) + ')'};
    return {"notice", count + ", " + time};
}

std::string_view advice_for(std::string_view kind, activity doing) {
    if (kind == "prepared")
        return "Ask the transaction manager how this transaction was decided, and finish it with "
               "COMMIT PREPARED or ROLLBACK PREPARED, in its database, as its owner or a "
               "superuser.";
    if (kind == "finishing")
        return "Wait: this transaction is being finished at this moment.";
    if (kind == "cycle")
        return "Wait: each of these sessions waits for another one of them, and the server ends "
               "one after its deadlock_timeout.";
    if (kind == "autovacuum")
        return "Wait: the server cancels this vacuum for a session that has waited for "
               "deadlock_timeout.";
    if (kind == "autovacuum_wraparound")
        return "Leave it: this vacuum prevents wraparound and is started again when it is ended.";
    if (kind == "startup")
        return "Look on the primary for the transaction that holds ACCESS EXCLUSIVE: this lock "
               "ends with it.";
    if (kind == "walsender")
        return "See pg_stat_replication for the client of this connection before it is ended.";
    switch (doing) {
    case activity::active:
        return "Let its statement finish, or cancel it; a statement_timeout bounds such waits.";
    case activity::idle_in_transaction:
        return "Its client has to commit or roll back; end the session if it does not come back. "
               "idle_in_transaction_session_timeout bounds such waits.";
    case activity::idle:
        return "It holds a lock of the session, without a transaction: its client has to release "
               "it, or the session has to be ended.";
    case activity::unreported:
        return "The server does not report what it does: track_activities is off for it, or it is "
               "a background process.";
    case activity::hidden: break;
    }
    return "What this session does is shown to members of its role and of pg_read_all_stats.";
}

} // namespace lockstep::graph
