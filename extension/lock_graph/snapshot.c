/*
 * One instant of the lock manager. All its partitions are taken shared, once; then every process
 * that waits leads to the lock that it waits for, and of that lock all is copied: who has it, who
 * queues. What nobody waits for is not looked at, so the cost follows the contention and not the
 * number of locks.
 *
 * This is C because the server's list and lock headers are, and because nothing here may own
 * anything that an error would have to release. While the partitions are held nothing is allocated
 * and nothing raises: the room is made before, and where it turns out too small the whole copy is
 * made again.
 *
 * ProcArrayLock is not needed. Slots of the table of processes are never freed; what is read of
 * them (the lock waited for, the queues, the proclocks, the lock group) changes under a partition
 * lock alone, and a process leaves only after it has released its locks.
 */
#include "pg/version.h"

#include "access/twophase.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "lock_graph/snapshot.h"

/* How far back in a partition a waiter's own proclocks are looked through for the row that it
 * stands at. */
#define RECENT_PROCLOCKS 32

typedef struct snapshot_builder {
    lock_snapshot snapshot;
    int32_t *index_of_slot; /* in snapshot.processes, or -1 */
    int32 total_slots;
    int32 proclock_room;
    bool overflowed;
} snapshot_builder;

static int32 slot_of(const PGPROC *process) {
    return (int32)(process - ProcGlobal->allProcs);
}

void lockstep_copy_process(PGPROC *process, lock_process *copy) {
    const int32 slot = slot_of(process);

    memset(copy, 0, sizeof(*copy));
    copy->slot = slot;
    copy->pid = process->pid;
    copy->vxid_slot = (int32)LOCKSTEP_VXID_SLOT(process);
    copy->vxid_local = LOCKSTEP_VXID_LOCAL(process);
    copy->xid = process->xid;
    copy->database = process->databaseId;
    copy->role = process->roleId;
    copy->wait_event = *(volatile uint32 *)&process->wait_event_info;
    copy->prepared = slot >= (int32)ProcGlobal->allProcCount;
    copy->auxiliary = !copy->prepared && slot >= MaxBackends;
    copy->autovacuum = (process->statusFlags & PROC_IS_AUTOVACUUM) != 0;
    copy->wraparound = (process->statusFlags & PROC_VACUUM_FOR_WRAPAROUND) != 0;
}

/* The index of a process in the snapshot; it is copied where it is met first. */
static int32 add_process(snapshot_builder *to, PGPROC *process) {
    const int32 slot = slot_of(process);
    int32 index;

    Assert(slot >= 0 && slot < to->total_slots);
    index = to->index_of_slot[slot];
    if (index >= 0)
        return index;
    index = to->snapshot.process_count++;
    to->index_of_slot[slot] = index;
    lockstep_copy_process(process, &to->snapshot.processes[index]);
    to->snapshot.processes[index].leader = index;
    if (process->lockGroupLeader != NULL && process->lockGroupLeader != process) {
        const int32 leader = add_process(to, process->lockGroupLeader);

        to->snapshot.processes[index].leader = leader;
    }
    return index;
}

/* That lock is among its newest. */
void lockstep_copy_row(PGPROC *process, lock_wait *copy) {
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition) {
        const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition);
        const lock_link *link = end->prev;

        for (int seen = 0; link != end && seen < RECENT_PROCLOCKS; ++seen, link = link->prev) {
            const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, procLink, link);
            const LOCKTAG *const tag = &proclock->tag.myLock->tag;

            if (tag->locktag_type != LOCKTAG_TUPLE || proclock->holdMask == 0)
                continue;
            copy->row_database = tag->locktag_field1;
            copy->row_relation = tag->locktag_field2;
            copy->row_block = tag->locktag_field3;
            copy->row_offset = tag->locktag_field4;
            for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
                if (proclock->holdMask & LOCKBIT_ON(mode))
                    copy->row_mode = mode;
            return;
        }
    }
}

static void add_proclocks(snapshot_builder *to, lock_object *object, LOCK *lock) {
    const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_LOCK(lock);

    object->first_proclock = to->snapshot.proclock_count;
    for (const lock_link *link = end->next; link != end; link = link->next) {
        const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, lockLink, link);
        const int32 at = to->snapshot.proclock_count++;

        if (at >= to->proclock_room) {
            to->overflowed = true;
            continue; /* counted on, so that the next attempt has room for all */
        }
        to->snapshot.proclocks[at].process = add_process(to, proclock->tag.myProc);
        to->snapshot.proclocks[at].held = (uint32)proclock->holdMask;
    }
    object->proclocks = to->snapshot.proclock_count - object->first_proclock;
}

static void add_queue(snapshot_builder *to, lock_object *object, LOCK *lock) {
    const lock_link *const end = LOCKSTEP_QUEUE_OF_LOCK(lock);

    object->first_wait = to->snapshot.wait_count;
    for (const lock_link *link = end->next; link != end; link = link->next) {
        PGPROC *const process = LOCKSTEP_CONTAINER(PGPROC, LOCKSTEP_WAIT_LINK, link);
        lock_wait *const copy = &to->snapshot.waits[to->snapshot.wait_count++];

        Assert(to->snapshot.wait_count <= (int32)ProcGlobal->allProcCount);
        memset(copy, 0, sizeof(*copy));
        copy->process = add_process(to, process);
        copy->lock = (int32)(object - to->snapshot.locks);
        copy->mode = process->waitLockMode;
        copy->started = (int64)pg_atomic_read_u64(&process->waitStart);
        if (object->type == LOCKTAG_TRANSACTION)
            lockstep_copy_row(process, copy);
    }
    object->waits = to->snapshot.wait_count - object->first_wait;
}

static void add_lock(snapshot_builder *to, LOCK *lock) {
    lock_object *const object = &to->snapshot.locks[to->snapshot.lock_count++];

    Assert(to->snapshot.lock_count <= (int32)ProcGlobal->allProcCount);
    object->field1 = lock->tag.locktag_field1;
    object->field2 = lock->tag.locktag_field2;
    object->field3 = lock->tag.locktag_field3;
    object->field4 = lock->tag.locktag_field4;
    object->type = lock->tag.locktag_type;
    object->method = lock->tag.locktag_lockmethodid;
    object->is_tuple = object->type == LOCKTAG_TUPLE;
    object->in_group = object->type == LOCKTAG_RELATION_EXTEND;
    add_proclocks(to, object, lock);
    add_queue(to, object, lock);
}

/* The copy itself; the caller holds every partition. */
static void copy_contention(snapshot_builder *to) {
    lock_snapshot *const snapshot = &to->snapshot;

    snapshot->process_count = snapshot->lock_count = snapshot->proclock_count = 0;
    snapshot->wait_count = snapshot->safe_snapshot_wait_count = 0;
    to->overflowed = false;
    for (uint32 slot = 0; slot < ProcGlobal->allProcCount; ++slot) {
        PGPROC *const process = &ProcGlobal->allProcs[slot];
        LOCK *const lock = process->waitLock;

        /* A lock is copied when the head of its queue is met: once. */
        if (lock != NULL) {
            if (LOCKSTEP_QUEUE_OF_LOCK(lock)->next == &process->LOCKSTEP_WAIT_LINK)
                add_lock(to, lock);
        } else if (*(volatile uint32 *)&process->wait_event_info == WAIT_EVENT_SAFE_SNAPSHOT)
            snapshot->safe_snapshot_waits[snapshot->safe_snapshot_wait_count++] =
                add_process(to, process);
    }
}

static void copy_conflicts(lock_snapshot *snapshot) {
    for (int method = 1; method < LOCKSTEP_LOCK_METHODS; ++method) {
        LOCKTAG tag = {.locktag_lockmethodid = (uint8)method};
        const LockMethod table = GetLockTagsMethodTable(&tag);

        for (int mode = 1; mode <= table->numLockModes; ++mode)
            snapshot->conflicts[method][mode] = (uint32)table->conflictTab[mode];
    }
}

const lock_snapshot *lockstep_take_lock_snapshot(void) {
    snapshot_builder *const taken = palloc0(sizeof(snapshot_builder));
    lock_snapshot *const snapshot = &taken->snapshot;
    const Size processes = ProcGlobal->allProcCount;

    /*
     * Prepared transactions have their slots behind all others. The memory is zeroed so that no
     * page of it is touched first while the lock manager stands still.
     */
    taken->total_slots = (int32)processes + max_prepared_xacts;
    taken->index_of_slot = palloc(sizeof(int32_t) * taken->total_slots);
    snapshot->processes = palloc_extended(sizeof(lock_process) * taken->total_slots,
                                          MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    snapshot->locks =
        palloc_extended(sizeof(lock_object) * processes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    snapshot->waits =
        palloc_extended(sizeof(lock_wait) * processes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    snapshot->safe_snapshot_waits = palloc(sizeof(int32_t) * processes);
    taken->proclock_room = Max(4 * (int32)processes, 1024);
    copy_conflicts(snapshot);
    for (;;) {
        instr_time from, to;

        snapshot->proclocks = palloc_extended(sizeof(lock_proclock) * taken->proclock_room,
                                              MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
        memset(taken->index_of_slot, -1, sizeof(int32_t) * taken->total_slots);
        snapshot->attempts++;

        /* In the server's own order, so that nobody can wait for us in a ring. */
        LWLockAcquire(LockHashPartitionLockByIndex(0), LW_SHARED);
        INSTR_TIME_SET_CURRENT(from);
        for (int partition = 1; partition < NUM_LOCK_PARTITIONS; ++partition)
            LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
        copy_contention(taken);
        for (int partition = NUM_LOCK_PARTITIONS; --partition >= 0;)
            LWLockRelease(LockHashPartitionLockByIndex(partition));
        INSTR_TIME_SET_CURRENT(to);

        INSTR_TIME_SUBTRACT(to, from);
        snapshot->held_for = (int64)(INSTR_TIME_GET_DOUBLE(to) * 1e9);
        snapshot->taken_at = GetCurrentTimestamp();
        if (!taken->overflowed)
            return snapshot;
        CHECK_FOR_INTERRUPTS();
        taken->proclock_room = snapshot->proclock_count + snapshot->proclock_count / 4;
        pfree(snapshot->proclocks);
    }
}

bool lockstep_find_process(int pid, lock_process *to) {
    PGPROC *const process = BackendPidGetProc(pid);

    if (process == NULL)
        return false;
    lockstep_copy_process(process, to);
    return to->pid == pid;
}
