#include "age/holder_of.hpp"

namespace lockstep {

namespace {

using age::holder_kind;
using age::reach;

// By what the session says it does, which is not for everybody.
holder_kind kind_by_state(const PgBackendStatus *status, bool may_see) {
    if (status == nullptr || !may_see)
        return holder_kind::session;
    switch (status->st_state) {
    case STATE_RUNNING: return holder_kind::active;
    case STATE_IDLEINTRANSACTION: return holder_kind::idle_in_xact;
    case STATE_IDLEINTRANSACTION_ABORTED: return holder_kind::idle_in_xact_aborted;
    case STATE_FASTPATH: return holder_kind::fastpath;
    default: return holder_kind::session;
    }
}

holder_kind kind_of(const age_process &one, const PgBackendStatus *status, bool may_see,
                    const age_instant &now) {
    const auto index = static_cast<std::int32_t>(&one - now.processes);
    if (one.process.prepared != 0)
        return holder_kind::prepared;
    if (one.process.leader != index)
        return holder_kind::parallel_worker;
    if (one.process.autovacuum != 0)
        return holder_kind::autovacuum;
    const BackendType type = status == nullptr ? B_INVALID : status->st_backendType;
    if (type == B_WAL_SENDER)
        return one.is_for_all && one.xmin != InvalidTransactionId ? holder_kind::walsender_feedback
                                                                  : holder_kind::walsender;
    if (one.in_vacuum)
        return holder_kind::vacuum;
    if (type == B_BG_WORKER)
        return holder_kind::background_worker;
    const holder_kind kind = kind_by_state(status, may_see);
    return now.in_recovery && kind != holder_kind::session ? holder_kind::standby_session : kind;
}

bool is_in_transaction(const PgBackendStatus *status, bool may_see) {
    return may_see && status != nullptr &&
           (status->st_state == STATE_IDLEINTRANSACTION ||
            status->st_state == STATE_IDLEINTRANSACTION_ABORTED);
}

// Transactions that run for longer do not give way soon.
constexpr TimestampTz soon = INT64CONST(10) * 1000000;

// Whether the snapshot is that of a short transaction at work; whatever its isolation level, it
// will be gone soon. What a session does is looked at here for whoever asks: what its end would
// free is the same for all.
bool is_short(const PgBackendStatus *status, const age_instant &now) {
    return status != nullptr && status->st_state == STATE_RUNNING &&
           status->st_backendType == B_BACKEND && status->st_xact_start_timestamp != 0 &&
           now.taken_at - status->st_xact_start_timestamp < soon;
}

// The times that tell whether a snapshot can repeat a transaction.
void add_times(age::horizon_holder &to, const PgBackendStatus *status, const age_instant &now) {
    const bool is_feedback = to.kind == holder_kind::walsender_feedback;
    to.began_by = status == nullptr ? 0 : status->st_xact_start_timestamp;
    to.is_fleeting = is_feedback || is_short(status, now);
    // What a standby sends is renewed all the time.
    to.snapshot_from = is_feedback || status == nullptr ? now.taken_at : to.began_by;
}

// Whether it is the caller, with no more than the snapshot of the statement that looks.
bool is_look(const age_process &one) {
    return one.process.pid == MyProcPid && one.process.xid == InvalidTransactionId &&
           !IsolationUsesXactSnapshot() && pg_call([] {
               // The snapshot that catalogs are read with would count as one.
               InvalidateCatalogSnapshot();
               return ThereAreNoPriorRegisteredSnapshots() &&
                      (!ActiveSnapshotSet() ||
                       TransactionIdEquals(MyProc->xmin, GetActiveSnapshot()->xmin));
           });
}

} // namespace

std::optional<age::horizon_holder> holder_of(const age_process &one, const PgBackendStatus *status,
                                             bool may_see, const age_instant &now) {
    // It has ended since.
    if (one.process.pid == 0 && one.process.prepared == 0)
        return std::nullopt;
    if (one.process.xid == InvalidTransactionId && one.xmin == InvalidTransactionId &&
        one.process.vxid_local == InvalidLocalTransactionId && !is_in_transaction(status, may_see))
        return std::nullopt;
    age::horizon_holder made;
    made.kind = kind_of(one, status, may_see, now);
    made.database = one.process.database;
    made.xid = age::place_of(one.process.xid, next_place(now));
    made.xmin = age::place_of(one.xmin, next_place(now));
    add_times(made, status, now);
    made.is_look = is_look(one);
    if (made.rows() == age::nowhere)
        made.reaches = reach::nothing;
    else if (one.in_vacuum || one.decodes)
        made.reaches = reach::subtrans_only;
    else
        made.reaches = one.is_for_all || now.in_recovery ? reach::everything : reach::database;
    return made;
}

std::optional<age::horizon_holder> holder_of(const age_slot &one, const age_instant &now) {
    age::horizon_holder made;
    made.kind = one.database == InvalidOid ? holder_kind::slot_physical : holder_kind::slot_logical;
    made.database = one.database;
    // What an invalidated slot wanted is gone already.
    if (!one.is_invalid) {
        made.xmin = age::place_of(one.xmin, next_place(now));
        made.catalog_xmin = age::place_of(one.catalog_xmin, next_place(now));
    }
    if (made.oldest() == age::nowhere && !one.is_invalid && one.restart_lsn == InvalidXLogRecPtr)
        return std::nullopt;
    made.is_fleeting = one.active_pid != 0;
    made.snapshot_from = now.taken_at;
    made.reaches = made.oldest() == age::nowhere ? reach::nothing
                   : made.xmin == age::nowhere   ? reach::catalogs
                                                 : reach::everything;
    return made;
}

} // namespace lockstep
