#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ledger/ledger_counters.h"
#include "pg/counters.h"
#include "pg/drops.h"
#include "pg/shared_memory.h"
#include "pg/transaction_ends.h"

/* The kinds of a ledger's counters, and the counters of each. */
enum {
    OF_MOVEMENTS,
    OF_BATCHES,
    OF_SUBMITS,
    OF_SIZES,
    OF_LARGE_SIZES,
    OF_ALONE,
    OF_ALONE_FURTHER,
    KINDS
};
enum { APPLIED, REPLAYED, REFUSED, SINCE };
enum { BATCHES, ITEMS };
enum { CALLS, GROUPED, GROUPS };

/* What one subtransaction has done to a ledger so far; of the same two there is one. */
typedef struct pending_counts {
    Oid ledger;
    SubTransactionId owner;
    bool dropped; /* the ledger, or what may be one */
    ledger_counts counts;
} pending_counts;

static counter_tables tables;
static int counted_ledgers = 1000;

/* In the memory of the transaction, where there are any. */
static pending_counts *pending = NULL;
static int pending_count = 0;
static int pending_room = 0;

static Size room(void) {
    return lockstep_room_for_counters(counted_ledgers, KINDS);
}

static void set_up(void *at, LWLock *lock, bool found) {
    lockstep_set_up_counters(&tables, at, lock, found, counted_ledgers, KINDS);
}

static shared_part part = {
    .name = "lockstep ledger statistics",
    .room = room,
    .tranche = "lockstep_ledger_statistics",
    .set_up = set_up,
};

static uint64 owner_of(Oid ledger) {
    return (uint64)MyDatabaseId << 32 | ledger;
}

static void add_counts(ledger_counts *to, const ledger_counts *more) {
    to->applied += more->applied;
    to->replayed += more->replayed;
    to->refused += more->refused;
    to->batches += more->batches;
    to->items += more->items;
}

static pending_counts *find_pending(Oid ledger, SubTransactionId owner) {
    for (int i = 0; i < pending_count; ++i)
        if (pending[i].ledger == ledger && pending[i].owner == owner)
            return &pending[i];
    return NULL;
}

static pending_counts *pending_of(Oid ledger) {
    const SubTransactionId owner = GetCurrentSubTransactionId();
    pending_counts *found = find_pending(ledger, owner);

    if (found != NULL)
        return found;
    if (pending_count == pending_room) {
        const int wanted = pending_room == 0 ? 8 : 2 * pending_room;
        const Size size = mul_size(sizeof(pending_counts), wanted);

        pending = pending == NULL ? MemoryContextAlloc(TopTransactionContext, size)
                                  : repalloc_huge(pending, size);
        pending_room = wanted;
    }
    found = &pending[pending_count++];
    *found = (pending_counts){.ledger = ledger, .owner = owner};
    return found;
}

void lockstep_count_movements(uint32_t ledger, const ledger_counts *counts) {
    if (tables.shared != NULL)
        add_counts(&pending_of(ledger)->counts, counts);
}

static bool is_pending(Oid ledger) {
    for (int i = 0; i < pending_count; ++i)
        if (pending[i].ledger == ledger)
            return true;
    return false;
}

/* Most tables are no ledgers; those that nobody has counted for are not remembered. */
static void relation_goes(Oid relation) {
    if (tables.shared != NULL &&
        (is_pending(relation) || lockstep_has_counters(&tables, owner_of(relation))))
        pending_of(relation)->dropped = true;
}

static void database_gone(Oid database) {
    lockstep_forget_counters(&tables, (uint64)database << 32, PG_UINT64_MAX << 32);
}

static void add(counter_row *row, int which, int64 amount) {
    if (amount != 0)
        pg_atomic_fetch_add_u64(&row->counts[which], amount);
}

static void flush(const pending_counts *one, TimestampTz now) {
    static int32 last = 0;
    counter_table *const table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    counter_row *row = lockstep_counters_of(table, owner_of(one->ledger), &last, OF_MOVEMENTS);
    uint64 never = 0;

    add(row, APPLIED, one->counts.applied);
    add(row, REPLAYED, one->counts.replayed);
    add(row, REFUSED, one->counts.refused);
    if (pg_atomic_read_u64(&row->counts[SINCE]) == 0)
        pg_atomic_compare_exchange_u64(&row->counts[SINCE], &never, now);
    row = lockstep_counters_of(table, owner_of(one->ledger), &last, OF_BATCHES);
    add(row, BATCHES, one->counts.batches);
    add(row, ITEMS, one->counts.items);
}

/* Whoever drops a ledger has it locked: nobody counts for it any more. */
static void at_end(XactEvent event) {
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE && event != XACT_EVENT_ABORT)
        return;
    if (event != XACT_EVENT_ABORT && pending_count > 0) {
        const TimestampTz now = GetCurrentTransactionStopTimestamp();

        for (int i = 0; i < pending_count; ++i)
            if (!pending[i].dropped)
                flush(&pending[i], now);
            else if (event == XACT_EVENT_COMMIT)
                lockstep_forget_counters(&tables, owner_of(pending[i].ledger), PG_UINT64_MAX);
    }
    /* The memory goes with the transaction. */
    pending = NULL;
    pending_count = 0;
    pending_room = 0;
}

static void at_subtransaction_end(SubXactEvent event, SubTransactionId own,
                                  SubTransactionId parent) {
    int kept = 0;

    if (pending_count == 0 ||
        (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
        return;
    for (int i = 0; i < pending_count; ++i) {
        pending_counts one = pending[i];

        if (one.owner == own) {
            pending_counts *parents;

            if (event == SUBXACT_EVENT_ABORT_SUB)
                continue;
            one.owner = parent;
            /* The parent's own stands before it, and has been kept. */
            parents = find_pending(one.ledger, parent);
            if (parents != NULL) {
                add_counts(&parents->counts, &one.counts);
                parents->dropped = parents->dropped || one.dropped;
                continue;
            }
        }
        pending[kept++] = one;
    }
    pending_count = kept;
}

static transaction_subscriber ends = {.transaction = at_end,
                                      .subtransaction = at_subtransaction_end};
static drop_subscriber drops = {.database_gone = database_gone, .relation_goes = relation_goes};

void lockstep_install_ledger_counters(void) {
    DefineCustomIntVariable(
        "lockstep.counted_ledgers", "Ledgers whose movements are counted each by itself.",
        "Needs lockstep in shared_preload_libraries.", &counted_ledgers, 1000, 1, 100000,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_add_shared_part(&part);
    lockstep_subscribe_to_drops(&drops);
    lockstep_subscribe_to_transaction_ends(&ends);
}

bool lockstep_has_ledger_counters(void) {
    return tables.shared != NULL;
}

int32_t lockstep_copy_ledger_counts(ledger_count **to) {
    counter_table *const table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    int32 count = 0;

    *to = palloc_extended(sizeof(ledger_count) * (table->places + 1), MCXT_ALLOC_HUGE);
    for (int32 place = 0; place <= table->places; ++place) {
        counter_copy movements;
        counter_copy batches;

        if (!lockstep_copy_counters(table, place, OF_MOVEMENTS, &movements) ||
            (movements.owner != 0 && movements.owner >> 32 != MyDatabaseId))
            continue;
        /* Without batches, or forgotten meanwhile. */
        if (!lockstep_copy_counters(table, place, OF_BATCHES, &batches) ||
            batches.owner != movements.owner)
            batches = (counter_copy){.owner = 0};
        (*to)[count++] = (ledger_count){
            .ledger = (uint32_t)movements.owner,
            .since = movements.counts[SINCE],
            .counts = {movements.counts[APPLIED], movements.counts[REPLAYED],
                       movements.counts[REFUSED], batches.counts[BATCHES], batches.counts[ITEMS]}};
    }
    return count;
}

/* The kind and the counter of the nth of something that has more than one kind has. */
static void add_nth(counter_table *table, uint64 owner, int32 *last, int32 first_kind, int nth) {
    counter_row *const row =
        lockstep_counters_of(table, owner, last, first_kind + nth / LOCKSTEP_COUNTERS_A_ROW);

    add(row, nth % LOCKSTEP_COUNTERS_A_ROW, 1);
}

static int size_class(int32_t group_size) {
    const int power = pg_leftmost_one_pos32((uint32)group_size) - 1;

    return power < LOCKSTEP_SUBMIT_SIZES ? power : LOCKSTEP_SUBMIT_SIZES - 1;
}

void lockstep_count_submit(uint32_t ledger, int32_t group_size, submit_alone why) {
    static int32 last = 0;
    counter_table *table;
    counter_row *row;

    if (tables.shared == NULL)
        return;
    table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    row = lockstep_counters_of(table, owner_of(ledger), &last, OF_SUBMITS);
    add(row, CALLS, 1);
    add(row, GROUPED, group_size > 1);
    if (why != SUBMIT_MET_NOBODY)
        add_nth(table, owner_of(ledger), &last, OF_ALONE, why);
}

void lockstep_count_submit_group(uint32_t ledger, int32_t group_size) {
    static int32 last = 0;
    counter_table *table;

    if (tables.shared == NULL)
        return;
    table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    add(lockstep_counters_of(table, owner_of(ledger), &last, OF_SUBMITS), GROUPS, 1);
    add_nth(table, owner_of(ledger), &last, OF_SIZES, size_class(group_size));
}

static void copy_many(counter_table *table, int32 place, int32 first_kind, uint64 owner, int64 *to,
                      int count) {
    for (int i = 0; i < count; ++i) {
        counter_copy copy;

        to[i] = 0;
        if (lockstep_copy_counters(table, place, first_kind + i / LOCKSTEP_COUNTERS_A_ROW, &copy) &&
            copy.owner == owner)
            to[i] = copy.counts[i % LOCKSTEP_COUNTERS_A_ROW];
    }
}

int32_t lockstep_copy_submit_counts(submit_count **to) {
    counter_table *const table = lockstep_counters_since(&tables, lockstep_counter_resets(&tables));
    int32 count = 0;

    *to = palloc_extended(sizeof(submit_count) * (table->places + 1), MCXT_ALLOC_HUGE);
    for (int32 place = 0; place <= table->places; ++place) {
        counter_copy calls;
        submit_count one;

        if (!lockstep_copy_counters(table, place, OF_SUBMITS, &calls) || calls.counts[CALLS] == 0 ||
            (calls.owner != 0 && calls.owner >> 32 != MyDatabaseId))
            continue;
        one = (submit_count){.ledger = (uint32_t)calls.owner,
                             .counts = {.calls = calls.counts[CALLS],
                                        .grouped = calls.counts[GROUPED],
                                        .groups = calls.counts[GROUPS]}};
        copy_many(table, place, OF_SIZES, calls.owner, one.counts.sizes, LOCKSTEP_SUBMIT_SIZES);
        copy_many(table, place, OF_ALONE, calls.owner, one.counts.alone, SUBMIT_ALONE_REASONS);
        (*to)[count++] = one;
    }
    return count;
}

void lockstep_clear_ledger_counters(void) {
    lockstep_reset_counters(&tables);
}
