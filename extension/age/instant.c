/*
 * This is C because the server's lists and locks are, and because nothing here may own anything
 * that an error would have to release. While a lock is held nothing is allocated and nothing
 * raises.
 */
#include "pg/version.h"

#include "access/multixact.h"
#include "access/transam.h"
#include "access/twophase.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "miscadmin.h"
#include "replication/slot.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "age/instant.h"
#include "lock_graph/snapshot.h"

/*
 * The transaction of a prepared one's dummy. Its own field outlives the end of the transaction; the
 * dense array does not.
 */
static TransactionId prepared_xid(const PGPROC *process) {
    const TransactionId xid = *(volatile TransactionId *)&process->xid;

    return ProcGlobal->xids[process->pgxactoff] == xid ? xid : InvalidTransactionId;
}

/* Whether the process takes part; then it is copied. The caller holds ProcArrayLock. */
static bool copy_holder(PGPROC *process, age_process *copy) {
    const int32 slot = (int32)(process - ProcGlobal->allProcs);
    const bool prepared = slot >= (int32)ProcGlobal->allProcCount;
    const TransactionId xid = prepared ? prepared_xid(process) : process->xid;
    const TransactionId xmin = *(volatile TransactionId *)&process->xmin;

    if (prepared ? !TransactionIdIsValid(xid) : process->pid == 0 || slot >= MaxBackends)
        return false;
    memset(copy, 0, sizeof(*copy));
    lockstep_copy_process(process, &copy->process);
    copy->process.xid = xid;
    copy->process.leader = -1;
    copy->xmin = xmin;
    if (!prepared) {
        copy->temp_schema = process->tempNamespaceId;
        copy->in_vacuum = (process->statusFlags & PROC_IN_VACUUM) != 0;
        copy->decodes = (process->statusFlags & PROC_IN_LOGICAL_DECODING) != 0;
        copy->is_for_all = (process->statusFlags & PROC_AFFECTS_ALL_HORIZONS) != 0;
    }
    return true;
}

/* In the copy a leader is named by its slot first; here by its index, or it is the process itself.
 */
static void link_leaders(age_instant *to, const int32 *leader_slots, const int32 *index_of_slot) {
    for (int32 i = 0; i < to->process_count; ++i) {
        const int32 leader = leader_slots[i] < 0 ? -1 : index_of_slot[leader_slots[i]];

        to->processes[i].process.leader = leader < 0 ? i : leader;
    }
}

/* Who has ended holds nothing any more, whatever his entry still says. */
static void forget_the_gone(age_instant *to) {
    for (int32 i = 0; i < to->process_count; ++i) {
        age_process *const one = &to->processes[i];

        if (!one->process.prepared &&
            !LOCKSTEP_IS_IN_USE(&ProcGlobal->allProcs[one->process.slot])) {
            one->process.xid = one->xmin = InvalidTransactionId;
            one->process.vxid_local = InvalidLocalTransactionId;
            one->process.pid = 0;
            one->temp_schema = InvalidOid;
        }
    }
}

/* In the middle of PREPARE TRANSACTION it is the session's and the prepared one's: it is the
 * latter. */
static void forget_handed_over(age_instant *to) {
    for (int32 i = 0; i < to->process_count; ++i) {
        const TransactionId xid = to->processes[i].process.xid;

        if (!to->processes[i].process.prepared)
            continue;
        for (int32 k = 0; k < to->process_count; ++k)
            if (!to->processes[k].process.prepared && to->processes[k].process.xid == xid)
                to->processes[k].process.xid = InvalidTransactionId;
    }
}

static void copy_processes(age_instant *to) {
    const int32 total = (int32)ProcGlobal->allProcCount + max_prepared_xacts;
    int32 *const index_of_slot = palloc(sizeof(int32) * total);
    int32 *const leader_slots = palloc(sizeof(int32) * total);

    to->processes = palloc_extended(sizeof(age_process) * total, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    memset(index_of_slot, -1, sizeof(int32) * total);
    LWLockAcquire(ProcArrayLock, LW_SHARED);
    for (int32 slot = 0; slot < total; ++slot) {
        PGPROC *const process = &ProcGlobal->allProcs[slot];
        PGPROC *const leader = process->lockGroupLeader;

        if (!copy_holder(process, &to->processes[to->process_count]))
            continue;
        index_of_slot[slot] = to->process_count;
        leader_slots[to->process_count++] =
            leader == NULL || leader == process ? -1 : (int32)(leader - ProcGlobal->allProcs);
    }
    LWLockRelease(ProcArrayLock);
    link_leaders(to, leader_slots, index_of_slot);
    forget_the_gone(to);
    forget_handed_over(to);
}

static void copy_counters(age_counters *to) {
    LWLockAcquire(XidGenLock, LW_SHARED);
    to->next_xid = U64FromFullTransactionId(LOCKSTEP_XID_LIMITS->nextXid);
    to->oldest_xid = LOCKSTEP_XID_LIMITS->oldestXid;
    to->oldest_database = LOCKSTEP_XID_LIMITS->oldestXidDB;
    to->warn_limit = LOCKSTEP_XID_LIMITS->xidWarnLimit;
    to->stop_limit = LOCKSTEP_XID_LIMITS->xidStopLimit;
    LWLockRelease(XidGenLock);
    ReadMultiXactIdRange(&to->oldest_multi, &to->next_multi);
}

static void copy_slot(ReplicationSlot *slot, age_slot *copy) {
    StaticAssertStmt(sizeof(copy->name) >= NAMEDATALEN, "a slot's name has its end");

    memset(copy, 0, sizeof(*copy));
    SpinLockAcquire(&slot->mutex);
    memcpy(copy->name, NameStr(slot->data.name), NAMEDATALEN);
    copy->database = slot->data.database;
    copy->xmin = slot->effective_xmin;
    copy->catalog_xmin = slot->effective_catalog_xmin;
    copy->restart_lsn = slot->data.restart_lsn;
    copy->active_pid = LOCKSTEP_SLOT_ACTIVE_PID(slot);
    copy->inactive_since = 0;
    if (copy->active_pid == 0)
        copy->inactive_since = LOCKSTEP_SLOT_INACTIVE_SINCE(slot);
    copy->is_invalid = LOCKSTEP_SLOT_IS_INVALID(slot);
    SpinLockRelease(&slot->mutex);
}

static void copy_slots(age_instant *to) {
    const int places = LOCKSTEP_SLOT_PLACES;

    to->slots = palloc0(sizeof(age_slot) * (places + 1));
    if (places == 0)
        return;
    LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
    for (int i = 0; i < places; ++i)
        if (ReplicationSlotCtl->replication_slots[i].in_use)
            copy_slot(&ReplicationSlotCtl->replication_slots[i], &to->slots[to->slot_count++]);
    LWLockRelease(ReplicationSlotControlLock);
}

static void count_mask(age_process *to, LOCKMASK held, uint8 type, uint8 method) {
    for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode) {
        if ((held & LOCKBIT_ON(mode)) == 0)
            continue;
        to->locks_held++;
        /* Everybody holds his own transaction exclusively; that says nothing. */
        if (type != LOCKTAG_TRANSACTION && type != LOCKTAG_VIRTUALTRANSACTION &&
            mode > to->strongest_mode) {
            to->strongest_mode = mode;
            to->strongest_method = method;
        }
    }
}

static void count_fast_path(PGPROC *process, age_process *to) {
    LWLockAcquire(&process->fpInfoLock, LW_SHARED);
    for (int word = 0; word < LOCKSTEP_FAST_PATH_WORDS; ++word) {
        const uint64 bits = LOCKSTEP_FAST_PATH_WORD(process, word);

        for (int slot = 0; slot < LOCKSTEP_FAST_PATH_SLOTS; ++slot) {
            const uint64 modes = (bits >> (LOCKSTEP_FAST_PATH_BITS * slot)) & 7;

            count_mask(to, (LOCKMASK)(modes << 1), LOCKTAG_RELATION, DEFAULT_LOCKMETHOD);
        }
    }
    if (process->fpVXIDLock)
        to->locks_held++;
    LWLockRelease(&process->fpInfoLock);
}

/* A process that has ended meanwhile has no locks; one that has taken its place is told by its pid.
 */
static bool is_still_there(const age_process *one) {
    const PGPROC *const process = &ProcGlobal->allProcs[one->process.slot];

    return one->process.prepared ||
           (one->process.pid != 0 && *(volatile int *)&process->pid == one->process.pid);
}

static void count_locks(age_process *processes, int32 count) {
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition) {
        LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
        for (int32 i = 0; i < count; ++i) {
            PGPROC *const process = &ProcGlobal->allProcs[processes[i].process.slot];
            const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition);

            if (end->next == end || !is_still_there(&processes[i]))
                continue;
            for (const lock_link *link = end->next; link != end; link = link->next) {
                const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, procLink, link);
                const LOCKTAG *const tag = &proclock->tag.myLock->tag;

                count_mask(&processes[i], proclock->holdMask, tag->locktag_type,
                           tag->locktag_lockmethodid);
            }
        }
        LWLockRelease(LockHashPartitionLockByIndex(partition));
    }
    for (int32 i = 0; i < count; ++i)
        if (is_still_there(&processes[i]) && !processes[i].process.prepared)
            count_fast_path(&ProcGlobal->allProcs[processes[i].process.slot], &processes[i]);
}

const age_instant *lockstep_take_instant(bool with_locks) {
    age_instant *const taken = palloc0(sizeof(age_instant));

    taken->in_recovery = RecoveryInProgress();
    copy_processes(taken);
    copy_slots(taken);
    /* Last, so that nothing of the above is ahead of the counter. */
    copy_counters(&taken->counters);
    taken->lsn = taken->in_recovery ? GetXLogReplayRecPtr(NULL) : GetXLogWriteRecPtr();
    taken->taken_at = GetCurrentTimestamp();
    if (with_locks)
        count_locks(taken->processes, taken->process_count);
    return taken;
}

void lockstep_count_own_locks(age_process *to) {
    memset(to, 0, sizeof(*to));
    lockstep_copy_process(MyProc, &to->process);
    to->xmin = MyProc->xmin;
    count_locks(to, 1);
}
