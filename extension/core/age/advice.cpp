#include "core/age/advice.hpp"

namespace lockstep::age {

namespace {

std::string_view slot_advice(const situation &seen) {
    if (!seen.is_connected)
        return "Nobody uses this slot: bring its consumer back, or drop it. Until then it keeps "
               "rows and WAL; max_slot_wal_keep_size and, from 18 on, "
               "idle_replication_slot_timeout bound that.";
    if (seen.kind == holder_kind::slot_physical)
        return "Look on the standby for the session that needs the old rows (lockstep."
               "transaction_age works there); without hot_standby_feedback the standby would "
               "cancel "
               "it instead.";
    return "Its consumer is behind, or has an old transaction to decode: look at "
           "confirmed_flush_lsn in pg_replication_slots and at what the consumer waits for.";
}

std::string_view session_advice(const situation &seen) {
    switch (seen.doing) {
    case graph::activity::active:
        return "Let its statement finish, or cancel it; statement_timeout and, from 17 on, "
               "transaction_timeout bound such transactions.";
    case graph::activity::idle_in_transaction:
        return "Its client has to commit or roll back; end the session if it does not come back. "
               "idle_in_transaction_session_timeout bounds such transactions.";
    default: return graph::advice_for("backend", seen.doing);
    }
}

} // namespace

std::string_view advice_for(const situation &seen) {
    if (seen.is_echo)
        return "Leave it: its snapshot only goes back to another transaction that still runs, and "
               "is gone soon after that one.";
    switch (seen.kind) {
    case holder_kind::vacuum:
    case holder_kind::autovacuum:
        if (seen.is_wraparound)
            return "Leave it: this vacuum prevents wraparound; end what it waits for, or what "
                   "holds the rows that it cannot remove.";
        if (seen.is_lazy_vacuum)
            return "Leave it: a vacuum keeps no other vacuum from removing rows.";
        return "Wait: ANALYZE and VACUUM FULL hold the horizon like any transaction, until they "
               "end.";
    case holder_kind::prepared: return graph::advice_for("prepared", seen.doing);
    case holder_kind::slot_physical:
    case holder_kind::slot_logical: return slot_advice(seen);
    case holder_kind::walsender_feedback:
        return "Look on the standby for the session that needs the old rows "
               "(lockstep.transaction_age works there); without hot_standby_feedback the standby "
               "would cancel it instead.";
    case holder_kind::walsender: return graph::advice_for("walsender", seen.doing);
    case holder_kind::primary_transaction:
        return "Look on the primary: its oldest transaction is the oldest here too, whatever is "
               "ended here.";
    case holder_kind::temp_table:
        return seen.is_connected
                   ? "No vacuum but the session's own can freeze its temporary tables: let it "
                     "VACUUM them, drop them or disconnect."
                   : "The session that made these tables is gone: autovacuum drops them, or a "
                     "superuser does.";
    case holder_kind::parallel_worker: return "It works for its leader: see that session.";
    default: return session_advice(seen);
    }
}

std::string_view database_advice(const database_situation &seen) {
    if (!seen.takes_connections)
        return seen.has_holder ? "End the top holder first; this database takes no connections, so "
                                 "autovacuum has to do the rest."
                               : "This database takes no connections, so autovacuum has to vacuum "
                                 "it; it does so even where it is turned off.";
    if (seen.has_holder)
        return seen.is_urgent
                   ? "End the top holder first, then VACUUM in this database, as a superuser; no "
                     "restart and no single-user mode is needed for it."
                   : "End the top holder, then let autovacuum or VACUUM (FREEZE) do the rest.";
    return seen.is_urgent ? "VACUUM in this database, as a superuser, the oldest tables first "
                            "(pg_class.relfrozenxid, relminmxid)."
                          : "Nothing holds it back: let autovacuum work, or VACUUM (FREEZE) the "
                            "oldest tables (pg_class.relfrozenxid, relminmxid).";
}

} // namespace lockstep::age
