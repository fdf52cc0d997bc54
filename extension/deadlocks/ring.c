#include "pg/version.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "deadlocks/ring.h"
#include "pg/fault_points.h"
#include "pg/kept_file.h"
#include "pg/sampler.h"
#include "pg/shared_memory.h"

#define MOST_DEADLOCKS 10000
#define DEADLOCKS_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_deadlocks.stat"
#define LOOKS_AT_A_SLOT 1000
#define SAVE_AFTER_MS 10000 /* what a crash may take */

/*
 * `changes` is odd while somebody writes, and who finds it odd neither reads nor writes. The fate
 * is decided later, and beside it stands whose it is: the id, times the number of fates.
 */
typedef struct ring_slot {
    pg_atomic_uint32 changes;
    pg_atomic_uint64 fate;
    deadlock_record record;
} ring_slot;

typedef struct deadlock_ring {
    pg_atomic_uint64 last_id;
    pg_atomic_uint64 news;      /* how often anything has changed */
    pg_atomic_uint64 forgotten; /* up to this id they are shown no more */
    int32 room;
    ring_slot slots[FLEXIBLE_ARRAY_MEMBER];
} deadlock_ring;

static deadlock_ring *ring = NULL;
static int history_size = 128;

static Size room_for_ring(void) {
    return add_size(offsetof(deadlock_ring, slots), mul_size(sizeof(ring_slot), history_size));
}

static ring_slot *slot_of(int64 id) {
    return &ring->slots[id % ring->room];
}

static uint64 packed_fate(int64 id, int32 fate) {
    return (uint64)id * LOCKSTEP_DEADLOCK_FATES + (uint64)fate;
}

static bool is_text(const char *text, size_t size) {
    return memchr(text, '\0', size) != NULL;
}

/* They must be in order, and say what there is. */
static const char *fault_in(const void *items, int32 count) {
    const deadlock_record *const records = items;

    for (int32 i = 0; i < count; ++i) {
        const deadlock_record *const one = &records[i];

        if (one->id <= 0 || (i > 0 && one->id <= records[i - 1].id))
            return "its deadlocks are out of order";
        if (one->members < 1 || one->members > LOCKSTEP_DEADLOCK_MEMBERS || one->bystanders < 0 ||
            one->bystanders > LOCKSTEP_DEADLOCK_SESSIONS - one->members || one->fate < 0 ||
            one->fate >= LOCKSTEP_DEADLOCK_FATES || one->found_by < 0 ||
            one->found_by > DEADLOCK_RESOLVED_BY_REORDER ||
            !is_text(one->context, sizeof(one->context)) ||
            !is_text(one->said.relation, sizeof(one->said.relation)))
            return "it has a deadlock that cannot be";
        for (int32 j = 0; j < one->members + one->bystanders; ++j)
            if (!is_text(one->sessions[j].application, sizeof(one->sessions[j].application)) ||
                !is_text(one->sessions[j].query, sizeof(one->sessions[j].query)))
                return "it has a deadlock that cannot be";
    }
    return NULL;
}

/* The deadlocks, oldest first. */
static const kept_file deadlocks_file = {
    .path = DEADLOCKS_FILE,
    .fresh_path = DEADLOCKS_FILE ".tmp",
    .magic = 0x4c53444c, /* LSDL */
    .format = 1,
    .item_size = sizeof(deadlock_record),
    .most = MOST_DEADLOCKS,
    .fault_in = fault_in,
};

/* Copies a slot where nobody writes into it; false: it is empty, or is being written. */
static bool copy_slot(ring_slot *slot, deadlock_record *to) {
    for (int look = 0; look < LOOKS_AT_A_SLOT; ++look) {
        const uint32 before = pg_atomic_read_u32(&slot->changes);
        uint64 fate;

        if (before == 0)
            return false;
        if (before % 2 != 0)
            continue;
        pg_read_barrier();
        memcpy(to, &slot->record, sizeof(*to));
        fate = pg_atomic_read_u64(&slot->fate);
        pg_read_barrier();
        if (pg_atomic_read_u32(&slot->changes) != before)
            continue;
        if (fate / LOCKSTEP_DEADLOCK_FATES == (uint64)to->id)
            to->fate = (int32)(fate % LOCKSTEP_DEADLOCK_FATES);
        return to->id > (int64)pg_atomic_read_u64(&ring->forgotten);
    }
    return false;
}

/* Whose id is given already. */
static bool write_slot(const deadlock_record *one) {
    ring_slot *const slot = slot_of(one->id);
    uint32 changes = pg_atomic_read_u32(&slot->changes);

    if (changes % 2 != 0 || !pg_atomic_compare_exchange_u32(&slot->changes, &changes, changes + 1))
        return false;
    pg_write_barrier();
    memcpy(&slot->record, one, sizeof(*one));
    lockstep_reach_deadlock_slot();
    pg_atomic_write_u64(&slot->fate, packed_fate(one->id, one->fate));
    pg_write_barrier();
    /* Never 0, which is an empty slot. */
    pg_atomic_write_u32(&slot->changes, changes + 2 == 0 ? 2 : changes + 2);
    return true;
}

static int by_id(const void *a, const void *b) {
    const int64 one = ((const deadlock_record *)a)->id;
    const int64 other = ((const deadlock_record *)b)->id;

    return one < other ? -1 : one > other;
}

/* Into an array that has room for all. */
static int32 copy_all(deadlock_record *to) {
    int32 count = 0;

    for (int32 i = 0; i < ring->room; ++i)
        if (copy_slot(&ring->slots[i], &to[count]))
            ++count;
    qsort(to, count, sizeof(*to), by_id);
    return count;
}

int32_t lockstep_copy_deadlocks(deadlock_record **to) {
    *to = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(sizeof(**to), ring->room));
    return copy_all(*to);
}

/* Of the background worker: what it has written last. */
static uint64 saved_news = 0;

static int64 save_interval(void) {
    return SAVE_AFTER_MS;
}

/* Writes the file where there is something new. */
static void save_new(void) {
    const uint64 news = pg_atomic_read_u64(&ring->news);
    deadlock_record *records;
    int32 count;

    if (news == saved_news)
        return;
    count = lockstep_copy_deadlocks(&records);
    lockstep_write_kept(&deadlocks_file, &(kept_run){records, count}, 1);
    saved_news = news;
}

static sampler_subscriber saver = {
    .interval = save_interval,
    .take = save_new,
};

/*
 * The postmaster, when all others have gone; not when it starts them anew after a crash, when
 * memory may be damaged. It must not fail for want of memory.
 */
static void save_at_shutdown(int code, Datum arg pg_attribute_unused()) {
    deadlock_record *records;
    int32 count;

    if (code != 0 || ring == NULL)
        return;
    records = malloc(mul_size(sizeof(*records), ring->room));
    if (records == NULL)
        return;
    count = copy_all(records);
    lockstep_write_kept(&deadlocks_file, &(kept_run){records, count}, 1);
    free(records);
}

/* Into the empty ring. What the file has from a clock ahead of this one is past all the same. */
static void take_over(const deadlock_record *records, int32 count) {
    for (int32 i = 0; i < count; ++i)
        (void)write_slot(&records[i]);
    if (count > 0)
        pg_atomic_write_u64(&ring->last_id, (uint64)records[count - 1].id);
}

static void set_up(void *memory, LWLock *lock pg_attribute_unused(), bool found) {
    ring = memory;
    if (!found) {
        pg_atomic_init_u64(&ring->last_id, 0);
        pg_atomic_init_u64(&ring->news, 0);
        pg_atomic_init_u64(&ring->forgotten, 0);
        ring->room = history_size;
        for (int32 i = 0; i < ring->room; ++i) {
            pg_atomic_init_u32(&ring->slots[i].changes, 0);
            pg_atomic_init_u64(&ring->slots[i].fate, 0);
        }
    }
    if (IsUnderPostmaster)
        return;
    on_shmem_exit(save_at_shutdown, 0);
    if (!found) {
        void *records;
        const int32 count = lockstep_read_kept(&deadlocks_file, &records);

        take_over(records, count);
        if (records != NULL)
            pfree(records);
    }
}

static shared_part ring_part = {
    .name = "lockstep deadlocks",
    .room = room_for_ring,
    .set_up = set_up,
};

void lockstep_install_deadlock_ring(void) {
    /* Known without preloading as well, so that a file that sets it is no reason for a warning. */
    DefineCustomIntVariable(
        "lockstep.deadlock_history_size", "Deadlocks that deadlock_history keeps.",
        "Needs lockstep in shared_preload_libraries.", &history_size, 128, 1, MOST_DEADLOCKS,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    lockstep_add_shared_part(&ring_part);
    lockstep_subscribe_to_sampler(&saver);
}

bool lockstep_has_deadlock_ring(void) {
    return ring != NULL;
}

bool lockstep_add_deadlock(deadlock_record *one) {
    one->id = (int64)pg_atomic_fetch_add_u64(&ring->last_id, 1) + 1;
    if (!write_slot(one))
        return false;
    pg_atomic_fetch_add_u64(&ring->news, 1);
    return true;
}

void lockstep_decide_deadlock(int64_t id, deadlock_fate fate) {
    uint64 undecided = packed_fate(id, DEADLOCK_FATE_UNKNOWN);

    if (ring != NULL && id > 0 &&
        pg_atomic_compare_exchange_u64(&slot_of(id)->fate, &undecided, packed_fate(id, fate)))
        pg_atomic_fetch_add_u64(&ring->news, 1);
}

int64_t lockstep_deadlock_of_worker(int32_t leader_pid) {
    const int64 last = (int64)pg_atomic_read_u64(&ring->last_id);
    int64 found = 0;

    for (int64 id = last; id > 0 && id > last - ring->room && found == 0; --id) {
        ring_slot *const slot = slot_of(id);
        const deadlock_session *const victim = &slot->record.sessions[0];

        if (pg_atomic_read_u64(&slot->fate) == packed_fate(id, DEADLOCK_FATE_UNKNOWN) &&
            victim->leader_pid == leader_pid && victim->pid != leader_pid)
            found = id;
    }
    return found;
}

void lockstep_forget_deadlocks(void) {
    pg_atomic_write_u64(&ring->forgotten, pg_atomic_read_u64(&ring->last_id));
    pg_atomic_fetch_add_u64(&ring->news, 1);
}
