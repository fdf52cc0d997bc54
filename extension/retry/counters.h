/*
 * Counters in shared memory that nobody locks: for each database some kinds of them. A database has
 * a place from its first count on until it is dropped; databases that find no place are counted
 * together, still by kind, so that nobody's counts are lost in those of others.
 */
#ifndef LOCKSTEP_RETRY_COUNTERS_H
#define LOCKSTEP_RETRY_COUNTERS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "port/atomics.h"

#define LOCKSTEP_COUNTERS_A_ROW 4

typedef struct counter_row {
    pg_atomic_uint64 counts[LOCKSTEP_COUNTERS_A_ROW];
} counter_row;

typedef struct counter_table {
    int32 databases; /* that have places; those that found none share one more, the last */
    int32 kinds;
    counter_row rows[FLEXIBLE_ARRAY_MEMBER]; /* by place, then by kind; after them the owners */
} counter_table;

Size lockstep_room_for_counters(int32 databases, int32 kinds);

/* For one whom nobody disturbs: an empty table. */
void lockstep_set_up_counters(counter_table *table, int32 databases, int32 kinds);

/* The same for a table that had been set up. */
void lockstep_clear_counters(counter_table *table);

/*
 * The row of this session's database: its own, or the one of those without a place. Two sessions
 * that are the first of their database, while another one is dropped, may take two places: the sum
 * of both is right.
 */
counter_row *lockstep_counters_of(counter_table *table, int32 kind);

/* Frees the places of a database in which nobody is any more. One at a time. */
void lockstep_forget_database(counter_table *table, Oid database);

typedef struct counter_copy {
    Oid database; /* InvalidOid: those without a place */
    int64 counts[LOCKSTEP_COUNTERS_A_ROW];
} counter_copy;

/* One row, by place and kind; false where it is empty. The last place is number `databases`. */
bool lockstep_copy_counters(counter_table *table, int32 place, int32 kind, counter_copy *to);

/* Makes a counter as large as `value` where it is smaller. */
void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value);

/* NOLINTEND(modernize-*) */
#endif
