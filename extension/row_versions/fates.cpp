#include "row_versions/fates.hpp"

namespace lockstep {

using versions::fate;

namespace {

struct member_list {
    MultiXactMember *members;
    int count;
    bool is_forgotten;
};

inline namespace guarded {

fate look_up(TransactionId xid) {
    if (!TransactionIdIsValid(xid))
        return fate::none;
    if (!TransactionIdIsNormal(xid))
        return fate::frozen;
    if (TransactionIdIsCurrentTransactionId(xid))
        return fate::own;
    if (TransactionIdIsInProgress(xid))
        return fate::in_progress;
    // As pg_xact_status() does: what is looked up must not be cut off meanwhile.
    LWLockAcquire(XactTruncationLock, LW_SHARED);
    fate found = fate::too_old;
    if (!TransactionIdPrecedes(xid, LOCKSTEP_XID_LIMITS->oldestClogXid))
        found = TransactionIdDidCommit(xid) ? fate::committed : fate::aborted;
    LWLockRelease(XactTruncationLock);
    return found;
}

bool is_multi(const HeapTupleHeaderData *version) {
    return (version->t_infomask & HEAP_XMAX_IS_MULTI) != 0 &&
           TransactionIdIsValid(HeapTupleHeaderGetRawXmax(version));
}

// Those of a cluster that pg_upgrade brought from before 9.3, and those whose members are cut off,
// have none to read.
member_list members_of(const HeapTupleHeaderData *version) {
    member_list found{nullptr, 0, true};
    const MultiXactId multi = HeapTupleHeaderGetRawXmax(version);
    if (HEAP_LOCKED_UPGRADED(version->t_infomask))
        return found;
    MultiXactId oldest = InvalidMultiXactId;
    MultiXactId next = InvalidMultiXactId;
    ReadMultiXactIdRange(&oldest, &next);
    if (MultiXactIdPrecedes(multi, oldest) || !MultiXactIdPrecedes(multi, next))
        return found;
    // All of them, and not only where somebody may still have a lock.
    found.count = GetMultiXactIdMembers(multi, &found.members, false, false);
    found.is_forgotten = found.count < 0;
    return found;
}

} // namespace guarded
} // namespace

inline namespace guarded {

TransactionId updater_in_guard(const HeapTupleHeaderData *version) {
    if (HEAP_XMAX_IS_LOCKED_ONLY(version->t_infomask))
        return InvalidTransactionId;
    if (!is_multi(version))
        return HeapTupleHeaderGetRawXmax(version);
    const member_list list = members_of(version);
    for (int i = 0; i < list.count; ++i)
        if (ISUPDATE_from_mxstatus(list.members[i].status))
            return list.members[i].xid;
    return InvalidTransactionId;
}

} // namespace guarded

fate fate_of(TransactionId xid) {
    return pg_call([xid] { return look_up(xid); });
}

const char *strength_word(MultiXactStatus status) {
    switch (status) {
    case MultiXactStatusForKeyShare: return "key share";
    case MultiXactStatusForShare: return "share";
    case MultiXactStatusForNoKeyUpdate: return "no key update";
    case MultiXactStatusForUpdate: return "update";
    case MultiXactStatusNoKeyUpdate: return "updates";
    case MultiXactStatusUpdate: break;
    }
    return "updates the key or deletes";
}

version_end end_of(const HeapTupleHeaderData *version) {
    version_end end;
    const TransactionId raw = HeapTupleHeaderGetRawXmax(version);
    if (!TransactionIdIsValid(raw))
        return end;
    end.is_lock = HEAP_XMAX_IS_LOCKED_ONLY(version->t_infomask);
    end.is_multi = (version->t_infomask & HEAP_XMAX_IS_MULTI) != 0;
    if (!end.is_multi) {
        (end.is_lock ? end.locker : end.updater) = raw;
        return end;
    }
    const member_list list = pg_call([version] { return members_of(version); });
    end.is_forgotten = list.is_forgotten;
    for (int i = 0; i < list.count; ++i) {
        const MultiXactMember &one = list.members[i];
        end.members.push_back({one.xid, one.status, fate_of(one.xid)});
        if (ISUPDATE_from_mxstatus(one.status))
            end.updater = one.xid;
    }
    return end;
}

} // namespace lockstep
