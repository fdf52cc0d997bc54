#include "core/age/advice.hpp"

namespace lockstep::age {

namespace {

constexpr std::string_view look_on_standby =
    "Look on the standby for what needs the old rows (lockstep.transaction_age works there): a "
    "session, which without hot_standby_feedback the standby would cancel instead, or a "
    "replication slot of its own, which keeps them while nobody uses it, too.";

std::string_view slot_advice(const situation &seen) {
    if (seen.is_invalid)
        return "It is of no use any more: drop it, and set up its consumer anew.";
    if (!seen.is_connected)
        return seen.holds_rows
                   ? "Nobody uses this slot: bring its consumer back, or drop it; the consumer has "
                     "then to be set up anew. Until then it keeps rows and WAL. "
                     "max_slot_wal_keep_size and, from 18 on, idle_replication_slot_timeout bound "
                     "that."
                   : "Nobody uses this slot: bring its consumer back, or drop it; the consumer has "
                     "then to be set up anew. Until then it keeps WAL; max_slot_wal_keep_size "
                     "bounds that.";
    if (!seen.holds_rows)
        return "Its consumer is behind: see pg_stat_replication. max_slot_wal_keep_size bounds the "
               "WAL that is kept for it.";
    if (seen.kind == holder_kind::slot_physical)
        return look_on_standby;
    return "Its consumer is behind, or waits for an old transaction: look at confirmed_flush_lsn "
           "in pg_replication_slots and at what the consumer waits for.";
}

std::string_view session_advice(const situation &seen) {
    switch (seen.doing) {
    case graph::activity::active:
        return "Let its statement finish, or cancel it; statement_timeout and, from 17 on, "
               "transaction_timeout bound such transactions.";
    case graph::activity::idle_in_transaction:
        if (seen.is_aborted)
            return "Its client has to roll back; end the session if it does not come back. "
                   "idle_in_transaction_session_timeout bounds such transactions.";
        return "Its client has to commit or roll back; end the session if it does not come back. "
               "idle_in_transaction_session_timeout bounds such transactions.";
    default: return graph::advice_for("backend", seen.doing);
    }
}

std::string_view plain_advice(const situation &seen) {
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
    case holder_kind::walsender_feedback: return look_on_standby;
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

} // namespace

std::string advice_for(const situation &seen) {
    if (!seen.waits_for.empty())
        return "It waits for " + seen.waits_for + ": see that one first (lockstep.lock_tree).";
    if (seen.is_echo && !seen.is_blocking)
        return "Leave it: its snapshot only goes back to another transaction that still runs, and "
               "is gone soon after that one.";
    return std::string{plain_advice(seen)};
}

std::string database_advice(const database_situation &seen) {
    if (seen.is_standby)
        return "Look on the primary: only there can it be vacuumed.";
    std::string first = "Nothing holds it back. ";
    if (seen.holders == 1)
        first = "End the top holder first. ";
    else if (seen.holders > 1)
        first = "End the " + std::to_string(seen.holders) +
                " holders that have datfrozenxid_blocked in lockstep.transaction_age first. ";
    else if (!seen.is_here)
        first = "Nothing that is seen from here holds it back; its temporary tables are seen in it "
                "alone. ";
    if (!seen.takes_connections)
        return first + "It takes no connections: autovacuum vacuums it, even where it is turned "
                       "off.";
    if (seen.is_urgent)
        return first +
               "To cure it, VACUUM in it as a superuser; no restart and no single-user mode is "
               "needed for that. The oldest tables: pg_class.relfrozenxid, relminmxid.";
    return first + "Autovacuum does the rest; VACUUM (FREEZE) is quicker.";
}

} // namespace lockstep::age
