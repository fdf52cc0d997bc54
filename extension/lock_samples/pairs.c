#include "pg/version.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lock_samples/pairs.h"
#include "pg/kept_file.h"
#include "pg/shared_memory.h"

#define PAIRS_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_lock_pairs.stat"

typedef struct pair_table {
    LWLock *lock;
    int32 count;
    bool is_saved;
    /* The first is the account: since when, as first_seen, and what has gone, as samples. */
    sampled_pair pairs[1 + LOCKSTEP_MOST_PAIRS];
} pair_table;

static pair_table *table = NULL;

static Size room_for_pairs(void) {
    return sizeof(pair_table);
}

/* What is printed must be something that there is. */
static const char *fault_in(const void *items, int32 count) {
    const sampled_pair *const pairs = items;

    if (count == 0)
        return "it is empty";
    for (int32 i = 1; i < count; ++i)
        if (pairs[i].wanted_mode < AccessShareLock || pairs[i].wanted_mode > AccessExclusiveLock ||
            pairs[i].last_seen < pairs[i].first_seen)
            return "a pair in it is none";
    return NULL;
}

static const kept_file pairs_file = {
    .path = PAIRS_FILE,
    .fresh_path = PAIRS_FILE ".tmp",
    .magic = 0x4c534c50, /* LSLP */
    .format = 1,
    .item_size = sizeof(sampled_pair),
    .most = 1 + LOCKSTEP_MOST_PAIRS,
    .fault_in = fault_in,
};

/* The caller holds the lock, or is alone. */
static void forget_all(void) {
    table->count = 0;
    memset(&table->pairs[0], 0, sizeof(sampled_pair));
    table->pairs[0].first_seen = GetCurrentTimestamp();
    table->is_saved = false;
}

static void take_over(const sampled_pair *pairs, int32 count) {
    if (count == 0 || pairs[0].first_seen > GetCurrentTimestamp())
        return;
    memcpy(table->pairs, pairs, sizeof(sampled_pair) * count);
    table->count = count - 1;
    for (int32 i = 0; i < count; ++i) {
        sampled_statement *const said = &table->pairs[i].statement;

        said->text[sizeof(said->text) - 1] = '\0';
    }
}

void lockstep_save_pairs(void) {
    sampled_pair *const copy = palloc(sizeof(table->pairs));
    int32 count;

    LWLockAcquire(table->lock, LW_EXCLUSIVE);
    count = table->is_saved ? 0 : 1 + table->count;
    table->is_saved = true;
    memcpy(copy, table->pairs, sizeof(sampled_pair) * count);
    LWLockRelease(table->lock);
    if (count > 0)
        lockstep_write_kept(&pairs_file, &(kept_run){copy, count}, 1);
    pfree(copy);
}

/* The postmaster, when all others have gone, as age/history.c does. */
static void save_at_shutdown(int code, Datum arg pg_attribute_unused()) {
    if (code == 0 && table != NULL)
        lockstep_write_kept(&pairs_file, &(kept_run){table->pairs, 1 + table->count}, 1);
}

static void set_up(void *memory, LWLock *lock, bool found) {
    table = memory;
    if (!found) {
        table->lock = lock;
        forget_all();
    }
    if (IsUnderPostmaster)
        return;
    on_shmem_exit(save_at_shutdown, 0);
    if (!found) {
        void *pairs;
        const int32 count = lockstep_read_kept(&pairs_file, &pairs);

        take_over(pairs, count);
        if (pairs != NULL)
            pfree(pairs);
    }
}

static shared_part pairs_part = {
    .name = "lockstep lock pairs",
    .room = room_for_pairs,
    .tranche = "lockstep_lock_pairs",
    .set_up = set_up,
};

void lockstep_install_pairs(void) {
    lockstep_add_shared_part(&pairs_part);
}

static bool is_same_pair(const sampled_pair *one, const sampled_pair *other) {
    return one->held == other->held && one->wanted == other->wanted &&
           one->database == other->database && one->held_modes == other->held_modes &&
           one->wanted_mode == other->wanted_mode && one->wants_row == other->wants_row;
}

/* Where the pair is, or where it goes: to the end, or in the place of the one seen least lately. */
static sampled_pair *place_for(const sampled_pair *pair) {
    sampled_pair *oldest = &table->pairs[1];

    for (int32 i = 1; i <= table->count; ++i) {
        if (is_same_pair(&table->pairs[i], pair))
            return &table->pairs[i];
        if (table->pairs[i].last_seen < oldest->last_seen)
            oldest = &table->pairs[i];
    }
    if (table->count < LOCKSTEP_MOST_PAIRS)
        oldest = &table->pairs[++table->count];
    else
        table->pairs[0].samples++;
    *oldest = *pair;
    oldest->samples = 0;
    oldest->first_seen = pair->last_seen;
    return oldest;
}

void lockstep_count_pairs(const sampled_pair *seen, int32_t count) {
    if (count == 0)
        return;
    LWLockAcquire(table->lock, LW_EXCLUSIVE);
    for (int32 i = 0; i < count; ++i) {
        sampled_pair *const pair = place_for(&seen[i]);

        pair->samples++;
        pair->last_seen = seen[i].last_seen;
        pair->statement = seen[i].statement;
    }
    table->is_saved = false;
    LWLockRelease(table->lock);
}

int32_t lockstep_copy_pairs(sampled_pair **to, pairs_account *account) {
    int32 count;

    *to = palloc(sizeof(table->pairs));
    LWLockAcquire(table->lock, LW_SHARED);
    count = table->count;
    memcpy(*to, &table->pairs[1], sizeof(sampled_pair) * count);
    account->since = table->pairs[0].first_seen;
    account->forgotten = table->pairs[0].samples;
    LWLockRelease(table->lock);
    return count;
}

void lockstep_clear_pairs(void) {
    LWLockAcquire(table->lock, LW_EXCLUSIVE);
    forget_all();
    LWLockRelease(table->lock);
}
