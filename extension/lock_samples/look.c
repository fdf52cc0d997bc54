/*
 * This is C because the server's lists and locks are, and because nothing here may own anything
 * that an error would have to release. While a lock is held nothing is allocated and nothing
 * raises.
 */
#include "pg/version.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"

#include "lock_samples/look.h"

/* What one waiting process has; the room for all is made before. */
typedef struct holder {
    PGPROC *process;
    int32 count;
    held_relation held[LOCKSTEP_MOST_HELD];
} holder;

bool lockstep_somebody_waits(void) {
    for (uint32 slot = 0; slot < ProcGlobal->allProcCount; ++slot)
        if (*(LOCK *volatile *)&ProcGlobal->allProcs[slot].waitLock != NULL)
            return true;
    return false;
}

/* A lock may be seen twice: others move it out of the fast path. */
static void add(holder *to, Oid database, Oid relation, LOCKMASK modes) {
    /* Reading is in the way of few, and the server's own catalogs are taken in its own order. */
    modes &= ~LOCKBIT_ON(AccessShareLock);
    if (modes == 0 || relation < FirstNormalObjectId)
        return;
    for (int32 i = 0; i < to->count; ++i)
        if (to->held[i].relation == relation && to->held[i].database == database) {
            to->held[i].modes |= (uint32)modes;
            return;
        }
    if (to->count == LOCKSTEP_MOST_HELD)
        return;
    to->held[to->count].database = database;
    to->held[to->count].relation = relation;
    to->held[to->count++].modes = (uint32)modes;
}

static void add_fast_path(holder *to) {
    PGPROC *const process = to->process;

    LWLockAcquire(&process->fpInfoLock, LW_SHARED);
    for (int word = 0; word < LOCKSTEP_FAST_PATH_WORDS; ++word) {
        const uint64 bits = LOCKSTEP_FAST_PATH_WORD(process, word);

        for (int slot = 0; slot < LOCKSTEP_FAST_PATH_SLOTS; ++slot)
            add(to, process->databaseId, LOCKSTEP_FAST_PATH_RELATION(process, word, slot),
                (LOCKMASK)((bits >> (LOCKSTEP_FAST_PATH_BITS * slot)) & 7) << 1);
    }
    LWLockRelease(&process->fpInfoLock);
}

/* The caller holds the partition. */
static void add_partition(holder *to, int partition) {
    const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_PROCESS(to->process, partition);

    if (end->next == end)
        return;
    for (const lock_link *link = end->next; link != end; link = link->next) {
        const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, procLink, link);
        const LOCKTAG *const tag = &proclock->tag.myLock->tag;

        if (tag->locktag_type == LOCKTAG_RELATION &&
            tag->locktag_lockmethodid == DEFAULT_LOCKMETHOD)
            add(to, tag->locktag_field1, tag->locktag_field2, proclock->holdMask);
    }
}

static bool still_waits(const PGPROC *process, const lock_wait *wait, const lock_process *then) {
    return *(LOCK *const volatile *)&process->waitLock != NULL && process->pid == then->pid &&
           LOCKSTEP_VXID_LOCAL(process) == then->vxid_local &&
           (int64)pg_atomic_read_u64(unconstify(pg_atomic_uint64 *, &process->waitStart)) ==
               wait->started;
}

int32_t lockstep_copy_held_relations(const lock_snapshot *snapshot, held_relation **to) {
    const int32 waits = snapshot->wait_count;
    holder *const holders =
        palloc_extended(sizeof(holder) * (waits + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    int32 count = 0;

    for (int32 i = 0; i < waits; ++i)
        holders[i].process =
            &ProcGlobal->allProcs[snapshot->processes[snapshot->waits[i].process].slot];
    /* First what leads from the one place to the other. */
    for (int32 i = 0; i < waits; ++i)
        add_fast_path(&holders[i]);
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition) {
        LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
        for (int32 i = 0; i < waits; ++i)
            add_partition(&holders[i], partition);
        LWLockRelease(LockHashPartitionLockByIndex(partition));
    }
    *to =
        palloc_extended(sizeof(held_relation) * LOCKSTEP_MOST_HELD * (waits + 1), MCXT_ALLOC_HUGE);
    for (int32 i = 0; i < waits; ++i) {
        const lock_wait *const wait = &snapshot->waits[i];

        if (wait->started == 0 ||
            !still_waits(holders[i].process, wait, &snapshot->processes[wait->process]))
            continue;
        for (int32 k = 0; k < holders[i].count; ++k) {
            (*to)[count] = holders[i].held[k];
            (*to)[count++].wait = i;
        }
    }
    return count;
}
