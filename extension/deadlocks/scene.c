#include "pg/version.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/backend_status.h"

#include "deadlocks/scene.h"
#include "lock_graph/snapshot.h"

#define LOOKS_AT_A_STATUS 100

/* The entries of the table of processes, beside the record's sessions; NULL: it is gone. */
typedef struct scene {
    deadlock_record *record;
    int32 count;
    PGPROC *processes[LOCKSTEP_DEADLOCK_SESSIONS];
} scene;

static int32 leader_pid_of(const PGPROC *process) {
    return process->lockGroupLeader != NULL ? process->lockGroupLeader->pid : process->pid;
}

static void copy_who(PGPROC *process, deadlock_session *to) {
    lock_process copy;

    lockstep_copy_process(process, &copy);
    to->pid = copy.pid;
    to->leader_pid = leader_pid_of(process);
    to->vxid_slot = copy.vxid_slot;
    to->vxid_local = copy.vxid_local;
    to->xid = copy.xid;
    to->database = copy.database;
    to->role = copy.role;
}

static void copy_row(PGPROC *process, deadlock_session *to) {
    lock_wait row;

    memset(&row, 0, sizeof(row));
    lockstep_copy_row(process, &row);
    to->row_database = row.row_database;
    to->row_relation = row.row_relation;
    to->row_block = row.row_block;
    to->row_offset = row.row_offset;
    to->row_mode = row.row_mode;
}

/* What the process waits for, and where it is a transaction, for which row. */
static void copy_wait(PGPROC *process, deadlock_session *to) {
    const LOCK *const lock = process->waitLock;

    if (lock != NULL) {
        to->lock = (deadlock_lock){lock->tag.locktag_field1, lock->tag.locktag_field2,
                                   lock->tag.locktag_field3, lock->tag.locktag_field4,
                                   lock->tag.locktag_type,   lock->tag.locktag_lockmethodid};
        to->mode = process->waitLockMode;
        to->wait_started = (int64)pg_atomic_read_u64(&process->waitStart);
    }
    if (to->lock.type == LOCKTAG_TRANSACTION && to->lock.method != 0)
        copy_row(process, to);
}

static bool is_known(const scene *all, const PGPROC *process) {
    for (int32 i = 0; i < all->count; ++i)
        if (all->processes[i] == process)
            return true;
    return false;
}

static void add_bystander(scene *all, PGPROC *process, int32 blocker) {
    deadlock_record *const record = all->record;

    if (is_known(all, process))
        return;
    if (all->count == LOCKSTEP_DEADLOCK_SESSIONS) {
        record->left_off++;
        return;
    }
    all->processes[all->count] = process;
    copy_who(process, &record->sessions[all->count]);
    copy_wait(process, &record->sessions[all->count]);
    record->sessions[all->count].blocker_pid = record->sessions[blocker].pid;
    record->bystanders++;
    all->count++;
}

/* Those in a lock's queue who want what these modes are in conflict with. */
static void add_queue(scene *all, LOCK *lock, LOCKMASK held, int32 holder) {
    const LockMethod table = GetLockTagsMethodTable(&lock->tag);
    const lock_link *const end = LOCKSTEP_QUEUE_OF_LOCK(lock);

    for (const lock_link *link = end->next; link != end; link = link->next) {
        PGPROC *const process = LOCKSTEP_CONTAINER(PGPROC, LOCKSTEP_WAIT_LINK, link);

        if ((table->conflictTab[process->waitLockMode] & held) != 0 &&
            process != all->processes[holder])
            add_bystander(all, process, holder);
    }
}

/* Whoever wants what this session has. */
static void add_those_behind(scene *all, int32 session) {
    PGPROC *const process = all->processes[session];

    if (process == NULL)
        return;
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition) {
        const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition);

        for (const lock_link *link = end->next; link != end; link = link->next) {
            const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, procLink, link);

            if (proclock->holdMask != 0)
                add_queue(all, proclock->tag.myLock, proclock->holdMask, session);
        }
    }
}

/* The members were set from the sentences, this process's first. */
static void find_members(scene *all) {
    deadlock_record *const record = all->record;

    for (uint32 slot = 0; slot < ProcGlobal->allProcCount; ++slot) {
        PGPROC *const process = &ProcGlobal->allProcs[slot];

        if (process->pid == 0 || process->waitLock == NULL)
            continue;
        for (int32 i = 1; i < record->members; ++i)
            if (record->sessions[i].pid == process->pid)
                all->processes[i] = process;
    }
    all->processes[0] = MyProc;
    for (int32 i = 0; i < record->members; ++i)
        if (all->processes[i] != NULL) {
            copy_who(all->processes[i], &record->sessions[i]);
            copy_wait(all->processes[i], &record->sessions[i]);
        }
}

static bool is_of(const LOCKTAG *tag, const deadlock_lock *lock) {
    return tag->locktag_field1 == lock->field1 && tag->locktag_field2 == lock->field2 &&
           tag->locktag_field3 == lock->field3 && tag->locktag_field4 == lock->field4 &&
           tag->locktag_type == lock->type && tag->locktag_lockmethodid == lock->method;
}

static LOCKMASK held_by(PGPROC *process, const deadlock_lock *lock) {
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition) {
        const lock_link *const end = LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition);

        for (const lock_link *link = end->next; link != end; link = link->next) {
            const PROCLOCK *const proclock = LOCKSTEP_CONTAINER(PROCLOCK, procLink, link);

            if (is_of(&proclock->tag.myLock->tag, lock))
                return proclock->holdMask;
        }
    }
    return 0;
}

/* What each one's blocker has of the lock that is waited for. */
static void copy_held(scene *all) {
    for (int32 i = 0; i < all->count; ++i) {
        deadlock_session *const waiter = &all->record->sessions[i];

        for (int32 j = 0; j < all->count; ++j)
            if (all->processes[j] != NULL && all->record->sessions[j].pid == waiter->blocker_pid)
                waiter->blocker_held = (uint32)held_by(all->processes[j], &waiter->lock);
    }
}

static void copy_text(char *to, size_t size, const char *from) {
    if (from != NULL)
        strlcpy(to, from, size);
}

/*
 * What the process does, out of the server's table of activities, as whoever else reads it does: as
 * often as it takes to find it whole.
 */
static void copy_status(int32 index, deadlock_session *to) {
    const volatile PgBackendStatus *status;
    deadlock_session found = *to;

    if (MyBEEntry == NULL || index < 0)
        return;
    status = MyBEEntry + (index - LOCKSTEP_STATUS_INDEX(MyProc));
    for (int look = 0; look < LOOKS_AT_A_STATUS; ++look) {
        int before;
        int after;
        bool is_right;

        pgstat_begin_read_activity(status, before);
        is_right = status->st_procpid == to->pid;
        if (is_right) {
            found.transaction_started = status->st_xact_start_timestamp;
            found.query_id = (int64)status->st_query_id;
            found.role = status->st_userid;
            copy_text(found.application, sizeof(found.application), status->st_appname);
            copy_text(found.query, sizeof(found.query), status->st_activity_raw);
        }
        pgstat_end_read_activity(status, after);
        if (!pgstat_read_activity_complete(before, after))
            continue;
        if (is_right)
            *to = found;
        return;
    }
}

void lockstep_look_at_deadlock(deadlock_record *to, const deadlock_sentence *sentences,
                               int32_t count, int64_t waited_since) {
    scene all = {.record = to};

    to->members = Max(1, Min(count, LOCKSTEP_DEADLOCK_MEMBERS));
    to->bystanders = 0;
    to->left_off = Max(0, count - LOCKSTEP_DEADLOCK_MEMBERS);
    memset(to->sessions, 0, sizeof(to->sessions));
    for (int32 i = 0; i < Min(count, to->members); ++i) {
        to->sessions[i].pid = sentences[i].pid;
        to->sessions[i].blocker_pid = sentences[i].blocker_pid;
        to->sessions[i].mode = sentences[i].mode;
        to->sessions[i].lock = sentences[i].lock;
    }
    all.count = to->members;

    /* In the server's own order, so that nobody can wait for us in a ring. */
    for (int partition = 0; partition < NUM_LOCK_PARTITIONS; ++partition)
        LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
    find_members(&all);
    for (int32 i = 0; i < all.count; ++i)
        add_those_behind(&all, i);
    copy_held(&all);
    for (int partition = NUM_LOCK_PARTITIONS; --partition >= 0;)
        LWLockRelease(LockHashPartitionLockByIndex(partition));

    to->sessions[0].wait_started = waited_since;
    for (int32 i = 0; i < all.count; ++i)
        if (all.processes[i] != NULL)
            copy_status(LOCKSTEP_STATUS_INDEX(all.processes[i]), &to->sessions[i]);
}
