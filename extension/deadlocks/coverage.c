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

/* From now on, where that was not said before. */
static void begin_at(counter_row *row, int64 server) {
    uint64 unknown = 0;

    if (pg_atomic_compare_exchange_u64(&row->counts[SERVER], &unknown, (uint64)server + 1))
        pg_atomic_write_u64(&row->counts[SINCE], (uint64)GetCurrentTimestamp());
}

void lockstep_count_deadlock(bool recorded) {
    if (OidIsValid(MyDatabaseId))
        pg_atomic_fetch_add_u64(
            &own_row(lockstep_counter_resets(&tables))->counts[recorded ? RECORDED : LOST], 1);
}

/* What the server has counted in a database, and since when: 0 where it has always. */
static int64 server_deadlocks(Oid database, TimestampTz *reset_at) {
    const PgStat_StatDBEntry *const found = pgstat_fetch_stat_dbentry(database);

    *reset_at = found == NULL ? 0 : found->stat_reset_timestamp;
    return found == NULL ? 0 : LOCKSTEP_COUNTED_DEADLOCKS(found);
}

void lockstep_begin_coverage(void) {
    static uint32 looked_at = 0; /* one more than the number of resets */
    const uint32 resets = lockstep_counter_resets(&tables);
    counter_row *row;
    int64 reset_at;

    if (looked_at == resets + 1 || !OidIsValid(MyDatabaseId) || !IsTransactionState())
        return;
    row = own_row(resets);
    if (pg_atomic_read_u64(&row->counts[SERVER]) == 0)
        begin_at(row, server_deadlocks(MyDatabaseId, &reset_at));
    looked_at = resets + 1;
}

/* Where the server's counter was reset since, it says nothing. */
static void compare_with_server(deadlock_coverage *one, int64 server_then) {
    TimestampTz reset_at;
    const int64 server_now = server_deadlocks(one->database, &reset_at);

    one->counted = one->missed = -1;
    if (one->database == InvalidOid || server_then < 0 || reset_at > one->since)
        return;
    one->counted = Max(server_now - server_then, 0);
    one->missed = Max(one->counted - one->recorded, 0);
    one->server_in_the_end = server_then + Max(one->counted, one->recorded + one->lost);
}

int32_t lockstep_copy_coverage(deadlock_coverage **to) {
    counter_table *const table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    int32 count = 0;

    *to = palloc0(sizeof(**to) * (MOST_DATABASES + 1));
    for (int32 place = 0; place <= MOST_DATABASES; ++place) {
        deadlock_coverage *const one = &(*to)[count];
        counter_copy copy;

        if (!lockstep_copy_counters(table, place, 0, &copy))
            continue;
        one->database = (uint32)copy.owner;
        one->recorded = copy.counts[RECORDED];
        one->lost = copy.counts[LOST];
        one->since = copy.counts[SINCE];
        compare_with_server(one, copy.counts[SERVER] - 1);
        ++count;
    }
    return count;
}

/*
 * What was seen before, and the server counts a moment later, is not missed from now on: it begins
 * there where the server will be.
 */
void lockstep_reset_coverage(void) {
    deadlock_coverage *all;
    const int32 count = lockstep_copy_coverage(&all);
    counter_table *table;
    int32 place = 0;

    lockstep_reset_counters(&tables);
    table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    for (int32 i = 0; i < count; ++i)
        if (all[i].counted >= 0)
            begin_at(lockstep_counters_of(table, all[i].database, &place, 0),
                     all[i].server_in_the_end);
    pfree(all);
}
