#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/counters.h"
#include "pg/drops.h"
#include "pg/error_watch.h"
#include "pg/shared_memory.h"
#include "pg/transaction_ends.h"
#include "retry/last_minute.h"
#include "retry/state_kinds.h"
#include "retry/statistics.h"

/* The counters of a row, by what the row counts. */
enum { ERRORS, RETRIES, WAITED, LAST_AT };
enum { TRANSACTIONS, ATTEMPTS, MOST, GIVEN_UP };

/* The last kinds of a table; those before are of states. */
enum { BY_CLIENT, BY_RETRY, SOURCES };

static counter_tables tables;
static process_seconds *minute = NULL;
static int counted_databases = 128;
static int attempt = 0;
static bool in_retry_call = false;

static int32 kinds(void) {
    return lockstep_state_kinds() + SOURCES;
}

static Size room_for_counters(void) {
    return CACHELINEALIGN(lockstep_room_for_counters(counted_databases, kinds()));
}

static Size room_for_memory(void) {
    return add_size(room_for_counters(), lockstep_room_for_minute());
}

static void set_up(void *at, LWLock *lock, bool found) {
    lockstep_set_up_counters(&tables, at, lock, found, counted_databases, kinds());
    minute = (process_seconds *)((char *)at + room_for_counters());
    if (!found)
        lockstep_set_up_minute(minute);
}

static shared_part retry_part = {
    .name = "lockstep retry statistics",
    .room = room_for_memory,
    .tranche = "lockstep_retry_statistics",
    .set_up = set_up,
};

/* Work of clients alone, in a database: an autovacuum that gives way is no conflict of theirs. */
static bool is_counted_here(void) {
    return tables.shared != NULL && MyProc != NULL && OidIsValid(MyDatabaseId) &&
           MyBackendType != B_AUTOVAC_WORKER && MyBackendType != B_AUTOVAC_LAUNCHER;
}

/* The one that counts now. */
static counter_table *table_now(void) {
    return lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
}

/* A session stays in its database, and the database in its place. */
static counter_row *own_row(uint32 resets, int32 kind) {
    static int32 last = 0;

    return lockstep_counters_of(lockstep_counters_since(&tables, resets), MyDatabaseId, &last,
                                kind);
}

static counter_row *row_of_state(uint32 resets, int sqlstate) {
    return own_row(resets, lockstep_kind_of_state(sqlstate));
}

static int32 kind_of_source(int source) {
    return lockstep_state_kinds() + source;
}

static void add(counter_row *row, int which, int64 amount) {
    pg_atomic_fetch_add_u64(&row->counts[which], amount);
}

static bool is_of_conflicts(int sqlstate) {
    return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TRANSACTION_ROLLBACK;
}

/* One of the server's, not one that somebody has made up. */
static bool is_conflict(int sqlstate) {
    return is_of_conflicts(sqlstate) &&
           lockstep_state_of_kind(lockstep_kind_of_state(sqlstate)) == sqlstate;
}

static bool is_wanted(int sqlstate) {
    return is_of_conflicts(sqlstate) || sqlstate == ERRCODE_LOCK_NOT_AVAILABLE ||
           sqlstate == ERRCODE_QUERY_CANCELED ||
           ERRCODE_TO_CATEGORY(sqlstate) == MAKE_SQLSTATE('L', 'S', '0', '0', '0');
}

static void count_error(const ErrorData *error) {
    const int sqlstate = error->sqlerrcode;
    uint32 resets;
    TimestampTz now;
    counter_row *row;

    if (!is_counted_here())
        return;
    resets = lockstep_counter_resets(&tables);
    now = GetCurrentTimestamp();
    row = row_of_state(resets, sqlstate);
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

static error_watcher counting_watcher = {
    .wants = is_wanted,
    .sees = count_error,
    .begins = statement_begins,
};

/* What one transaction says must not drown what all others say. */
static void count_announced(uint32 resets, TimestampTz now) {
    counter_row *const row = own_row(resets, kind_of_source(in_retry_call ? BY_RETRY : BY_CLIENT));
    const int counted = Min(attempt, LOCKSTEP_MOST_ATTEMPTS);

    add(row, TRANSACTIONS, 1);
    add(row, ATTEMPTS, counted);
    lockstep_raise_counter(&row->counts[MOST], counted);
    lockstep_add_to_minute(minute, resets, now, MINUTE_ANNOUNCED, 1);
    lockstep_add_to_minute(minute, resets, now, MINUTE_ATTEMPTS, counted);
}

/*
 * Runs at the end of every transaction. Its id, its isolation level and what it set locally are
 * still known here. The time was taken for the commit record, where there is one.
 */
static void at_commit(XactEvent event) {
    bool can_conflict;

    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE)
        return;
    can_conflict = TransactionIdIsValid(GetTopTransactionIdIfAny()) || IsolationUsesXactSnapshot();
    if ((can_conflict || attempt > 0) && is_counted_here()) {
        const TimestampTz now = GetCurrentTransactionStopTimestamp();
        const uint32 resets = lockstep_counter_resets(&tables);

        if (can_conflict)
            lockstep_add_to_minute(minute, resets, now, MINUTE_TRANSACTIONS, 1);
        if (attempt > 0)
            count_announced(resets, now);
    }
}

static void forget_database(Oid database) {
    lockstep_forget_counters(&tables, database, PG_UINT64_MAX);
}

static drop_subscriber drops = {.database_gone = forget_database};
static transaction_subscriber ends = {.transaction = at_commit};

void lockstep_install_retry_statistics(void) {
    DefineCustomIntVariable("lockstep.attempt",
                            "Which attempt at this transaction it is; 0 says nothing.", NULL,
                            &attempt, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable(
        "lockstep.counted_databases", "Databases whose retries are counted each by itself.",
        "Needs lockstep in shared_preload_libraries.", &counted_databases, 128, 1, 10000,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_add_shared_part(&retry_part);
    lockstep_watch_errors(&counting_watcher);
    lockstep_subscribe_to_drops(&drops);
    lockstep_subscribe_to_transaction_ends(&ends);
}

bool lockstep_has_retry_statistics(void) {
    return tables.shared != NULL;
}

void lockstep_count_retry(int sqlstate, int64_t waited_us) {
    counter_row *row;

    if (!is_counted_here())
        return;
    row = row_of_state(lockstep_counter_resets(&tables), sqlstate);
    add(row, RETRIES, 1);
    add(row, WAITED, waited_us);
    lockstep_raise_counter(&row->counts[LAST_AT], GetCurrentTimestamp());
}

void lockstep_in_retry_call(bool running) {
    in_retry_call = running;
}

void lockstep_count_given_up(void) {
    if (is_counted_here())
        add(own_row(lockstep_counter_resets(&tables), kind_of_source(BY_RETRY)), GIVEN_UP, 1);
}

int32_t lockstep_copy_retry_counts(retry_count **to) {
    counter_table *const table = table_now();
    const int32 states = lockstep_state_kinds();
    counter_copy row;
    int32 count = 0;

    *to = palloc(sizeof(retry_count) * (table->places + 1) * states);
    for (int32 place = 0; place <= table->places; ++place)
        for (int32 kind = 0; kind < states; ++kind)
            if (lockstep_copy_counters(table, place, kind, &row)) {
                retry_count *const copy = &(*to)[count++];

                copy->database = (uint32_t)row.owner;
                copy->sqlstate = lockstep_state_of_kind(kind);
                copy->errors = row.counts[ERRORS];
                copy->retries = row.counts[RETRIES];
                copy->waited_us = row.counts[WAITED];
                copy->last_at = row.counts[LAST_AT];
            }
    return count;
}

int32_t lockstep_copy_attempt_counts(attempt_count **to) {
    counter_table *const table = table_now();
    counter_copy row;
    int32 count = 0;

    *to = palloc(sizeof(attempt_count) * (table->places + 1) * SOURCES);
    for (int32 place = 0; place <= table->places; ++place)
        for (int source = 0; source < SOURCES; ++source)
            if (lockstep_copy_counters(table, place, kind_of_source(source), &row)) {
                attempt_count *const copy = &(*to)[count++];

                copy->database = (uint32_t)row.owner;
                copy->by_retry = source == BY_RETRY;
                copy->transactions = row.counts[TRANSACTIONS];
                copy->attempts = row.counts[ATTEMPTS];
                copy->most = row.counts[MOST];
                copy->given_up = row.counts[GIVEN_UP];
            }
    return count;
}

retry_minute lockstep_last_minute(void) {
    uint64 sums[MINUTE_COUNTS];
    retry_minute all;

    lockstep_sum_minute(minute, lockstep_counter_resets(&tables), GetCurrentTimestamp(), sums);
    all.transactions = (int64)sums[MINUTE_TRANSACTIONS];
    all.conflicts = (int64)sums[MINUTE_CONFLICTS];
    all.deadlocks = (int64)sums[MINUTE_DEADLOCKS];
    all.announced = (int64)sums[MINUTE_ANNOUNCED];
    all.attempts = (int64)sums[MINUTE_ATTEMPTS];
    return all;
}

void lockstep_clear_retry_statistics(void) {
    lockstep_reset_counters(&tables);
}
