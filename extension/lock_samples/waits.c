#include "pg/version.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lock_samples/waits.h"
#include "pg/kept_file.h"
#include "pg/shared_memory.h"

#define MOST_WAITS 1000000
#define HISTORY_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_lock_wait_history.stat"

typedef struct wait_ring {
    LWLock *lock;
    int32 room;
    int32 count;
    int32 next; /* where the next wait goes */
    bool is_saved;
    sampled_wait waits[FLEXIBLE_ARRAY_MEMBER];
} wait_ring;

static wait_ring *ring = NULL;
/* By slot in the table of processes: where its last wait is, or was before others took the place.
 */
static int32 *last_of_slot = NULL;
static int lock_history_size = 2000;

static int32 slots(void) {
    return MaxBackends + NUM_AUXILIARY_PROCS;
}

static Size room_for_waits(void) {
    return MAXALIGN(
        add_size(offsetof(wait_ring, waits), mul_size(sizeof(sampled_wait), lock_history_size)));
}

static Size room_for_ring(void) {
    return add_size(room_for_waits(), mul_size(sizeof(int32), slots()));
}

/* What is printed must be something that there is. */
static const char *fault_in(const void *items, int32 count) {
    const sampled_wait *const waits = items;

    for (int32 i = 0; i < count; ++i)
        if (waits[i].type > LOCKTAG_LAST_TYPE ||
            (waits[i].method != DEFAULT_LOCKMETHOD && waits[i].method != USER_LOCKMETHOD) ||
            waits[i].mode < AccessShareLock || waits[i].mode > AccessExclusiveLock ||
            waits[i].last_seen < waits[i].started)
            return "a wait in it is none";
    return NULL;
}

/* The waits, oldest first. */
static const kept_file history_file = {
    .path = HISTORY_FILE,
    .fresh_path = HISTORY_FILE ".tmp",
    .magic = 0x4c534c57, /* LSLW */
    .format = 1,
    .item_size = sizeof(sampled_wait),
    .most = MOST_WAITS,
    .fault_in = fault_in,
};

static sampled_wait *add(const sampled_wait *wait) {
    sampled_wait *const place = &ring->waits[ring->next];

    *place = *wait;
    ring->next = (ring->next + 1) % ring->room;
    ring->count = Min(ring->count + 1, ring->room);
    return place;
}

static void end_texts(sampled_session *session) {
    session->application[sizeof(session->application) - 1] = '\0';
    session->statement.text[sizeof(session->statement.text) - 1] = '\0';
}

/* Into the empty ring: of more than it holds the newest; what the clock has not reached yet is no
 * past. */
static void take_over(const sampled_wait *waits, int32 count) {
    const TimestampTz now = GetCurrentTimestamp();

    for (int32 i = Max(0, count - ring->room); i < count; ++i)
        if (waits[i].last_seen <= now) {
            sampled_wait *const copy = add(&waits[i]);

            end_texts(&copy->waiter);
            end_texts(&copy->blocker);
            end_texts(&copy->root);
        }
}

void lockstep_save_wait_history(void) {
    sampled_wait *const copy = palloc_extended(sizeof(sampled_wait) * ring->room, MCXT_ALLOC_HUGE);
    int32 count;

    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    count = ring->is_saved ? -1 : ring->count;
    ring->is_saved = true;
    for (int32 i = 0; i < count; ++i)
        copy[i] = ring->waits[(ring->next - count + i + ring->room) % ring->room];
    LWLockRelease(ring->lock);
    if (count >= 0)
        lockstep_write_kept(&history_file, &(kept_run){copy, count}, 1);
    pfree(copy);
}

/* The postmaster, when all others have gone, as age/history.c does. */
static void save_at_shutdown(int code, Datum arg pg_attribute_unused()) {
    if (code == 0 && ring != NULL)
        lockstep_write_kept_ring(&history_file, ring->waits, ring->room, ring->count, ring->next);
}

static void set_up(void *memory, LWLock *lock, bool found) {
    ring = memory;
    last_of_slot = (int32 *)((char *)memory + room_for_waits());
    if (!found) {
        ring->lock = lock;
        ring->room = lock_history_size;
        ring->count = ring->next = 0;
        ring->is_saved = true;
        memset(last_of_slot, -1, sizeof(int32) * slots());
    }
    if (IsUnderPostmaster)
        return;
    on_shmem_exit(save_at_shutdown, 0);
    if (!found) {
        void *waits;
        const int32 count = lockstep_read_kept(&history_file, &waits);

        take_over(waits, count);
        if (waits != NULL)
            pfree(waits);
    }
}

static shared_part history_part = {
    .name = "lockstep lock wait history",
    .room = room_for_ring,
    .tranche = "lockstep_lock_wait_history",
    .set_up = set_up,
};

void lockstep_install_wait_history(void) {
    /* Known without preloading as well, so that a file that sets it is no reason for a warning. */
    DefineCustomIntVariable(
        "lockstep.lock_history_size", "Waits that lock_wait_history keeps.",
        "Needs lockstep in shared_preload_libraries.", &lock_history_size, 2000, 10, MOST_WAITS,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    lockstep_add_shared_part(&history_part);
}

bool lockstep_has_wait_history(void) {
    return ring != NULL;
}

static bool is_same_wait(const sampled_wait *one, const sampled_wait *other) {
    return one->started == other->started && one->slot == other->slot &&
           one->vxid_local == other->vxid_local && one->waiter.pid == other->waiter.pid;
}

static bool is_same_session(const sampled_session *one, const sampled_session *other) {
    return one->is_prepared == other->is_prepared && one->pid == other->pid &&
           (!one->is_prepared || one->xid == other->xid);
}

/* The vote of Boyer and Moore: who is there in more than half of all samples is there in the end.
 */
static void go_on(sampled_wait *known, const sampled_wait *seen) {
    known->last_seen = seen->last_seen;
    known->samples++;
    if (known->root_votes > 0 && !is_same_session(&known->root, &seen->root)) {
        known->root_votes--;
        return;
    }
    known->root = seen->root;
    known->blocker = seen->blocker;
    known->root_votes++;
}

void lockstep_note_wait(const sampled_wait *seen) {
    int32 last;

    if (seen->slot < 0 || seen->slot >= slots())
        return;
    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    last = last_of_slot[seen->slot];
    if (last >= 0 && last < ring->count && is_same_wait(&ring->waits[last], seen))
        go_on(&ring->waits[last], seen);
    else {
        sampled_wait *const fresh = add(seen);

        fresh->samples = fresh->root_votes = 1;
        last_of_slot[seen->slot] = (int32)(fresh - ring->waits);
    }
    ring->is_saved = false;
    LWLockRelease(ring->lock);
}

int32_t lockstep_copy_wait_history(sampled_wait **to) {
    int32 count;

    *to = palloc_extended(sizeof(sampled_wait) * ring->room, MCXT_ALLOC_HUGE);
    LWLockAcquire(ring->lock, LW_SHARED);
    count = ring->count;
    for (int32 i = 0; i < count; ++i)
        (*to)[i] = ring->waits[(ring->next - 1 - i + ring->room) % ring->room];
    LWLockRelease(ring->lock);
    return count;
}

void lockstep_clear_wait_history(void) {
    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    ring->count = ring->next = 0;
    ring->is_saved = false;
    LWLockRelease(ring->lock);
}
