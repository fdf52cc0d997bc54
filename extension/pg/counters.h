/*
 * Counters in shared memory that nobody locks: some kinds of them for each owner, which is a number
 * that says what is counted (a database, a table in one). An owner has a place from its first count
 * on until it is forgotten; owners that find no place are counted together, still by kind, so that
 * nobody's counts are lost in those of others.
 */
#ifndef LOCKSTEP_PG_COUNTERS_H
#define LOCKSTEP_PG_COUNTERS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/lwlock.h"

#define LOCKSTEP_COUNTERS_A_ROW 4

typedef struct counter_row {
    pg_atomic_uint64 counts[LOCKSTEP_COUNTERS_A_ROW];
} counter_row;

typedef struct counter_table {
    int32 places; /* owners that found none share one more, the last */
    int32 kinds;
    counter_row rows[FLEXIBLE_ARRAY_MEMBER]; /* by place, then by kind; after them the owners */
} counter_table;

/*
 * There are two tables. A reset empties the one that nobody counts in, and then changes to it:
 * emptied in place, a row could be taken by another owner while somebody counts in it.
 */
typedef struct counter_tables {
    struct shared_counters *shared; /* NULL: there is no memory to count in */
    counter_table *both[2];
} counter_tables;

Size lockstep_room_for_counters(int32 places, int32 kinds);

/* Takes the memory that a shared part has got, and its lock, for whoever empties something. */
void lockstep_set_up_counters(counter_tables *tables, void *at, LWLock *lock, bool found,
                              int32 places, int32 kinds);

/* How often they were reset; tells which of the tables counts. */
uint32 lockstep_counter_resets(const counter_tables *tables);
counter_table *lockstep_counters_since(const counter_tables *tables, uint32 resets);

/* Begins at nothing. */
void lockstep_reset_counters(const counter_tables *tables);

/*
 * The row of an owner: its own, or the one of those without a place. `last` is where the caller
 * has found it before. Two sessions that are the first of an owner, while another one is forgotten,
 * may take two places: the sum of both is right. No owner is 0.
 */
counter_row *lockstep_counters_of(counter_table *table, uint64 owner, int32 *last, int32 kind);

/* Whether an owner has a place in either table. */
bool lockstep_has_counters(const counter_tables *tables, uint64 owner);

/* Frees the places of the owners that agree in the bits of `mask`, in whose name nobody counts. */
void lockstep_forget_counters(const counter_tables *tables, uint64 owner, uint64 mask);

typedef struct counter_copy {
    uint64 owner; /* 0: those without a place */
    int64 counts[LOCKSTEP_COUNTERS_A_ROW];
} counter_copy;

/* One row, by place and kind; false where it is empty. The last place is number `places`. */
bool lockstep_copy_counters(counter_table *table, int32 place, int32 kind, counter_copy *to);

/* Makes a counter as large as `value` where it is smaller. */
void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value);

/* NOLINTEND(modernize-*) */
#endif
