#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "deadlocks/coverage.h"
#include "pg/counters.h"
#include "pg/drops.h"
#include "pg/shared_memory.h"

#define MOST_DATABASES 128

/* The counters of a row. The server's is one more than it was: 0 is not known. */
enum { RECORDED, LOST, SERVER, SINCE };

static counter_tables tables;

static Size room(void) {
    return lockstep_room_for_counters(MOST_DATABASES, 1);
}

static void set_up(void *at, LWLock *lock, bool found) {
    lockstep_set_up_counters(&tables, at, lock, found, MOST_DATABASES, 1);
}

static shared_part coverage_part = {
    .name = "lockstep deadlock coverage",
    .room = room,
    .tranche = "lockstep_deadlock_coverage",
    .set_up = set_up,
};

static void forget_database(Oid database) {
    lockstep_forget_counters(&tables, database, PG_UINT64_MAX);
}

static drop_subscriber drops = {.database_gone = forget_database};

void lockstep_install_deadlock_coverage(void) {
    lockstep_add_shared_part(&coverage_part);
    lockstep_subscribe_to_drops(&drops);
}

static counter_row *own_row(uint32 resets) {
    static int32 last = 0;

    return lockstep_counters_of(lockstep_counters_since(&tables, resets), MyDatabaseId, &last, 0);
}

void lockstep_count_deadlock(bool recorded) {
    if (OidIsValid(MyDatabaseId))
        pg_atomic_fetch_add_u64(
            &own_row(lockstep_counter_resets(&tables))->counts[recorded ? RECORDED : LOST], 1);
}

int64_t lockstep_server_deadlocks(uint32_t database, int64_t *reset_at) {
    const PgStat_StatDBEntry *const found = pgstat_fetch_stat_dbentry(database);

    *reset_at = found == NULL ? 0 : found->stat_reset_timestamp;
    return found == NULL ? 0 : LOCKSTEP_COUNTED_DEADLOCKS(found);
}

void lockstep_begin_coverage(void) {
    static uint32 looked_at = 0; /* one more than the number of resets */
    const uint32 resets = lockstep_counter_resets(&tables);
    counter_row *row;
    uint64 unknown = 0;
    int64 reset_at;

    if (looked_at == resets + 1 || !OidIsValid(MyDatabaseId) || !IsTransactionState())
        return;
    row = own_row(resets);
    if (pg_atomic_read_u64(&row->counts[SERVER]) == 0) {
        const uint64 counted = (uint64)lockstep_server_deadlocks(MyDatabaseId, &reset_at) + 1;

        if (pg_atomic_compare_exchange_u64(&row->counts[SERVER], &unknown, counted))
            pg_atomic_write_u64(&row->counts[SINCE], (uint64)GetCurrentTimestamp());
    }
    looked_at = resets + 1;
}

int32_t lockstep_copy_coverage(deadlock_coverage **to) {
    counter_table *const table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    int32 count = 0;

    *to = palloc(sizeof(**to) * (MOST_DATABASES + 1));
    for (int32 place = 0; place <= MOST_DATABASES; ++place) {
        counter_copy copy;

        if (lockstep_copy_counters(table, place, 0, &copy))
            (*to)[count++] =
                (deadlock_coverage){(uint32)copy.owner, copy.counts[RECORDED], copy.counts[LOST],
                                    copy.counts[SERVER] - 1, copy.counts[SINCE]};
    }
    return count;
}

void lockstep_reset_coverage(void) {
    lockstep_reset_counters(&tables);
}
