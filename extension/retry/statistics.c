#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/shared_memory.h"
#include "retry/counters.h"
#include "retry/error_watch.h"
#include "retry/last_minute.h"
#include "retry/statistics.h"

#define STATES 1024
#define SOURCES 1024

/* The counters of a row, by what the row counts. */
enum { ERRORS, RETRIES, WAITED, LAST_AT };
enum { TRANSACTIONS, ATTEMPTS, MOST, GIVEN_UP };

/* Second half of a key of a source; the first is the database. It is never 0. */
enum { BY_CLIENT = 1, BY_RETRY = 2 };

/*
 * Of each table there are two. A reset empties the one that nobody counts in, and then changes to
 * it: emptied in place, a row could be taken by another key while somebody counts in it.
 */
typedef struct retry_memory {
    LWLock *lock;            /* for resets alone */
    pg_atomic_uint32 resets; /* an even number: the first ones count */
} retry_memory;

static retry_memory *memory = NULL;
static counter_table *states[2];
static counter_table *sources[2];
static process_seconds *minute = NULL;
static int attempt = 0;
static bool in_retry_call = false;

static Size room_for_memory(void) {
    Size room = CACHELINEALIGN(sizeof(retry_memory));

    room = add_size(room, mul_size(2, CACHELINEALIGN(lockstep_room_for_counters(STATES))));
    room = add_size(room, mul_size(2, CACHELINEALIGN(lockstep_room_for_counters(SOURCES))));
    return add_size(room, lockstep_room_for_minute());
}

static void set_up(void *at, LWLock *lock, bool found) {
    char *next = at;

    memory = at;
    next += CACHELINEALIGN(sizeof(retry_memory));
    for (int i = 0; i < 2; ++i) {
        states[i] = (counter_table *)next;
        next += CACHELINEALIGN(lockstep_room_for_counters(STATES));
        sources[i] = (counter_table *)next;
        next += CACHELINEALIGN(lockstep_room_for_counters(SOURCES));
    }
    minute = (process_seconds *)next;
    if (found)
        return;
    memory->lock = lock;
    pg_atomic_init_u32(&memory->resets, 0);
    for (int i = 0; i < 2; ++i) {
        lockstep_set_up_counters(states[i], STATES);
        lockstep_set_up_counters(sources[i], SOURCES);
    }
    lockstep_set_up_minute(minute);
}

static const shared_part retry_part = {
    .name = "lockstep retry statistics",
    .room = room_for_memory,
    .tranche = "lockstep_retry_statistics",
    .set_up = set_up,
};

/* Work of clients alone, in a database: an autovacuum that gives way is no conflict of theirs. */
static bool is_counted_here(void) {
    return memory != NULL && MyProc != NULL && OidIsValid(MyDatabaseId) &&
           MyBackendType != B_AUTOVAC_WORKER && MyBackendType != B_AUTOVAC_LAUNCHER;
}

static uint64 key_of(uint32 second_half) {
    return (uint64)MyDatabaseId << 32 | second_half;
}

static void add(counter_row *row, int which, int64 amount) {
    pg_atomic_fetch_add_u64(&row->counts[which], amount);
}

static bool is_conflict(int sqlstate) {
    return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TRANSACTION_ROLLBACK;
}

static bool is_wanted(int sqlstate) {
    return is_conflict(sqlstate) || sqlstate == ERRCODE_LOCK_NOT_AVAILABLE ||
           sqlstate == ERRCODE_QUERY_CANCELED ||
           ERRCODE_TO_CATEGORY(sqlstate) == MAKE_SQLSTATE('L', 'S', '0', '0', '0');
}

static void count_error(int sqlstate) {
    uint32 resets;
    TimestampTz now;
    counter_row *row;

    if (!is_counted_here())
        return;
    resets = pg_atomic_read_u32(&memory->resets);
    now = GetCurrentTimestamp();
    row = lockstep_counters_of(states[resets % 2], key_of(sqlstate));
    add(row, ERRORS, 1);
    lockstep_raise_counter(&row->counts[LAST_AT], now);
    if (is_conflict(sqlstate))
        lockstep_add_to_minute(minute, resets, now, MINUTE_CONFLICTS, 1);
    if (sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED)
        lockstep_add_to_minute(minute, resets, now, MINUTE_DEADLOCKS, 1);
}

/* A call that an error ended could not say so. */
static void statement_begins(void) {
    in_retry_call = false;
}

static const error_watcher counting_watcher = {
    .wants = is_wanted,
    .sees = count_error,
    .begins = statement_begins,
};

static void count_announced(uint32 resets, TimestampTz now) {
    counter_row *const row =
        lockstep_counters_of(sources[resets % 2], key_of(in_retry_call ? BY_RETRY : BY_CLIENT));

    add(row, TRANSACTIONS, 1);
    add(row, ATTEMPTS, attempt);
    lockstep_raise_counter(&row->counts[MOST], attempt);
    lockstep_add_to_minute(minute, resets, now, MINUTE_ANNOUNCED, 1);
    lockstep_add_to_minute(minute, resets, now, MINUTE_ATTEMPTS, attempt);
}

/*
 * Runs at the end of every transaction. Its id, its isolation level and what it set locally are
 * still known here. The time was taken for the commit record, where there is one.
 */
static void at_commit(XactEvent event, void *arg) {
    bool can_conflict;

    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE)
        return;
    can_conflict = TransactionIdIsValid(GetTopTransactionIdIfAny()) || IsolationUsesXactSnapshot();
    if ((can_conflict || attempt > 0) && is_counted_here()) {
        const TimestampTz now = GetCurrentTransactionStopTimestamp();
        const uint32 resets = pg_atomic_read_u32(&memory->resets);

        if (can_conflict)
            lockstep_add_to_minute(minute, resets, now, MINUTE_TRANSACTIONS, 1);
        if (attempt > 0)
            count_announced(resets, now);
    }
}

void lockstep_install_retry_statistics(void) {
    DefineCustomIntVariable("lockstep.attempt",
                            "Which attempt at this transaction it is; 0 says nothing.", NULL,
                            &attempt, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_add_shared_part(&retry_part);
    lockstep_watch_errors(&counting_watcher);
    RegisterXactCallback(at_commit, NULL);
}

bool lockstep_has_retry_statistics(void) {
    return memory != NULL;
}

void lockstep_count_retry(int sqlstate, int64_t waited_us) {
    counter_row *row;

    if (!is_counted_here())
        return;
    row = lockstep_counters_of(states[pg_atomic_read_u32(&memory->resets) % 2], key_of(sqlstate));
    add(row, RETRIES, 1);
    add(row, WAITED, waited_us);
    lockstep_raise_counter(&row->counts[LAST_AT], GetCurrentTimestamp());
}

void lockstep_in_retry_call(bool running) {
    in_retry_call = running;
}

void lockstep_count_given_up(void) {
    if (is_counted_here())
        add(lockstep_counters_of(sources[pg_atomic_read_u32(&memory->resets) % 2],
                                 key_of(BY_RETRY)),
            GIVEN_UP, 1);
}

static int64 read_count(counter_row *row, int which) {
    return (int64)pg_atomic_read_u64(&row->counts[which]);
}

/* A row may have been taken, and not yet counted in. */
static bool is_empty(counter_row *row) {
    for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i)
        if (read_count(row, i) != 0)
            return false;
    return true;
}

/* Every row that counts, the row of the others last; NULL after that. */
static counter_row *next_row(counter_table *table, int32 *index) {
    while (*index <= table->size) {
        counter_row *const row = *index < table->size ? &table->rows[*index] : &table->others;

        ++*index;
        if (!is_empty(row))
            return row;
    }
    return NULL;
}

int32_t lockstep_copy_retry_counts(retry_count **to) {
    counter_table *const table = states[pg_atomic_read_u32(&memory->resets) % 2];
    counter_row *row;
    int32 count = 0;
    int32 index = 0;

    *to = palloc(sizeof(retry_count) * (STATES + 1));
    while ((row = next_row(table, &index)) != NULL) {
        const uint64 key = pg_atomic_read_u64(&row->key);
        retry_count *const copy = &(*to)[count++];

        copy->database = (uint32)(key >> 32);
        copy->sqlstate = (int32)(uint32)key;
        copy->errors = read_count(row, ERRORS);
        copy->retries = read_count(row, RETRIES);
        copy->waited_us = read_count(row, WAITED);
        copy->last_at = read_count(row, LAST_AT);
    }
    return count;
}

int32_t lockstep_copy_attempt_counts(attempt_count **to) {
    counter_table *const table = sources[pg_atomic_read_u32(&memory->resets) % 2];
    counter_row *row;
    int32 count = 0;
    int32 index = 0;

    *to = palloc(sizeof(attempt_count) * (SOURCES + 1));
    while ((row = next_row(table, &index)) != NULL) {
        const uint64 key = pg_atomic_read_u64(&row->key);
        attempt_count *const copy = &(*to)[count++];

        copy->database = (uint32)(key >> 32);
        copy->by_retry = (uint32)key == BY_RETRY;
        copy->transactions = read_count(row, TRANSACTIONS);
        copy->attempts = read_count(row, ATTEMPTS);
        copy->most = read_count(row, MOST);
        copy->given_up = read_count(row, GIVEN_UP);
    }
    return count;
}

retry_minute lockstep_last_minute(void) {
    uint64 sums[MINUTE_COUNTS];
    retry_minute all;

    lockstep_sum_minute(minute, pg_atomic_read_u32(&memory->resets), GetCurrentTimestamp(), sums);
    all.transactions = (int64)sums[MINUTE_TRANSACTIONS];
    all.conflicts = (int64)sums[MINUTE_CONFLICTS];
    all.deadlocks = (int64)sums[MINUTE_DEADLOCKS];
    all.announced = (int64)sums[MINUTE_ANNOUNCED];
    all.attempts = (int64)sums[MINUTE_ATTEMPTS];
    return all;
}

void lockstep_clear_retry_statistics(void) {
    uint32 next;

    LWLockAcquire(memory->lock, LW_EXCLUSIVE);
    next = pg_atomic_read_u32(&memory->resets) + 1;
    lockstep_clear_counters(states[next % 2]);
    lockstep_clear_counters(sources[next % 2]);
    pg_write_barrier();
    pg_atomic_write_u32(&memory->resets, next);
    LWLockRelease(memory->lock);
}
