#include "pg/version.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "age/history.h"
#include "pg/kept_file.h"
#include "pg/shared_memory.h"

#define MOST_SAMPLES 100000
#define HISTORY_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_age_history.stat"

typedef struct history_ring {
    LWLock *lock;
    int32 room;
    int32 count;
    int32 next; /* where the next sample goes */
    age_sample samples[FLEXIBLE_ARRAY_MEMBER];
} history_ring;

static history_ring *ring = NULL;
static int history_size = 10080; /* a week of minutes */

static Size room_for_ring(void) {
    return add_size(offsetof(history_ring, samples), mul_size(sizeof(age_sample), history_size));
}

/* They must be in order, and name what there is. */
static const char *fault_in(const void *items, int32 count) {
    const age_sample *const samples = items;

    for (int32 i = 0; i < count; ++i)
        if (samples[i].top_kind < 0 || samples[i].top_kind >= LOCKSTEP_HOLDER_KINDS ||
            (i > 0 && (samples[i].taken_at < samples[i - 1].taken_at ||
                       samples[i].next_xid < samples[i - 1].next_xid)))
            return "its samples are out of order";
    return NULL;
}

/* The samples, oldest first. */
static const kept_file history_file = {
    .path = HISTORY_FILE,
    .fresh_path = HISTORY_FILE ".tmp",
    .magic = 0x4c534148, /* LSAH */
    .format = 1,
    .item_size = sizeof(age_sample),
    .most = MOST_SAMPLES,
    .fault_in = fault_in,
};

/* The sample by its age: 0 is the oldest. */
static age_sample *sample_at(int32 index) {
    Assert(index >= 0 && index < ring->count && ring->count <= ring->room);
    return &ring->samples[(ring->next - ring->count + index + ring->room) % ring->room];
}

/* Into the empty ring: of more than it holds the newest; what the clock has not reached yet is no
 * past. */
static void take_over(const age_sample *samples, int32 count) {
    const TimestampTz now = GetCurrentTimestamp();

    while (count > 0 && samples[count - 1].taken_at > now)
        --count;
    for (int32 i = Max(0, count - ring->room); i < count; ++i) {
        age_sample *const copy = &ring->samples[ring->next];

        *copy = samples[i];
        copy->top_name[sizeof(copy->top_name) - 1] = '\0';
        ring->next = (ring->next + 1) % ring->room;
        ring->count = Min(ring->count + 1, ring->room);
    }
}

void lockstep_save_history(void) {
    age_sample *samples = NULL;
    const int32 count = lockstep_copy_history(&samples);

    lockstep_write_kept(&history_file, &(kept_run){samples, count}, 1);
    pfree(samples);
}

/*
 * The postmaster, when all others have gone; not when it starts them anew after a crash, when
 * memory may be damaged. There is nobody left to lock against, and one who was killed by an
 * immediate stop may have left the lock behind.
 */
static void save_at_shutdown(int code, Datum arg pg_attribute_unused()) {
    if (code == 0 && ring != NULL)
        lockstep_write_kept_ring(&history_file, ring->samples, ring->room, ring->count, ring->next);
}

static void set_up(void *memory, LWLock *lock, bool found) {
    ring = memory;
    if (!found) {
        ring->lock = lock;
        ring->room = history_size;
        ring->count = ring->next = 0;
    }
    if (IsUnderPostmaster)
        return;
    on_shmem_exit(save_at_shutdown, 0);
    if (!found) {
        void *samples;
        const int32 count = lockstep_read_kept(&history_file, &samples);

        take_over(samples, count);
        if (samples != NULL)
            pfree(samples);
    }
}

static shared_part history_part = {
    .name = "lockstep age history",
    .room = room_for_ring,
    .tranche = "lockstep_age_history",
    .set_up = set_up,
};

void lockstep_install_history(void) {
    /* Known without preloading as well, so that a file that sets it is no reason for a warning. */
    DefineCustomIntVariable(
        "lockstep.history_size", "Samples that transaction_age_history keeps.",
        "Needs lockstep in shared_preload_libraries.", &history_size, 10080, 10, MOST_SAMPLES,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    lockstep_add_shared_part(&history_part);
}

bool lockstep_has_history(void) {
    return ring != NULL;
}

void lockstep_add_sample(const age_sample *sample) {
    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    /* Where the server was set back, by its clock or by pg_resetwal, that part of the past is no
     * use. */
    while (ring->count > 0 && (sample_at(ring->count - 1)->taken_at > sample->taken_at ||
                               sample_at(ring->count - 1)->next_xid > sample->next_xid)) {
        ring->next = (ring->next - 1 + ring->room) % ring->room;
        ring->count--;
    }
    ring->samples[ring->next] = *sample;
    ring->next = (ring->next + 1) % ring->room;
    ring->count = Min(ring->count + 1, ring->room);
    LWLockRelease(ring->lock);
}

int32_t lockstep_copy_history(age_sample **to) {
    int32 count;

    *to = palloc(sizeof(age_sample) * ring->room);
    LWLockAcquire(ring->lock, LW_SHARED);
    count = ring->count;
    for (int32 i = 0; i < count; ++i)
        (*to)[i] = *sample_at(i);
    LWLockRelease(ring->lock);
    return count;
}

/* The first sample of which `is_after` is true; NULL where none is. Whoever calls holds the lock.
 */
static const age_sample *first_after(bool (*is_after)(const age_sample *, uint64), uint64 bound) {
    int32 low = 0;
    int32 high = ring->count;

    while (low < high) {
        const int32 middle = low + (high - low) / 2;

        if (is_after(sample_at(middle), bound))
            high = middle;
        else
            low = middle + 1;
    }
    return low < ring->count ? sample_at(low) : NULL;
}

static bool is_ahead_of_xid(const age_sample *sample, uint64 xid) {
    return sample->next_xid > xid;
}

static bool is_not_before(const age_sample *sample, uint64 at) {
    return sample->taken_at >= (int64)at;
}

int64_t lockstep_seen_at(uint64_t xid) {
    const age_sample *found;
    int64 at;

    if (ring == NULL)
        return 0;
    LWLockAcquire(ring->lock, LW_SHARED);
    found = first_after(is_ahead_of_xid, xid);
    at = found == NULL ? 0 : found->taken_at;
    LWLockRelease(ring->lock);
    return at;
}

bool lockstep_sample_since(int64_t at, age_sample *to) {
    const age_sample *found;

    if (ring == NULL)
        return false;
    LWLockAcquire(ring->lock, LW_SHARED);
    found = first_after(is_not_before, (uint64)at);
    if (found != NULL)
        *to = *found;
    LWLockRelease(ring->lock);
    return found != NULL;
}
