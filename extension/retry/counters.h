/*
 * A table of counters in shared memory that nobody locks. A row belongs to a key from its first
 * count on; when the table is full, the row of the others counts what finds no room.
 */
#ifndef LOCKSTEP_RETRY_COUNTERS_H
#define LOCKSTEP_RETRY_COUNTERS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "port/atomics.h"

#define LOCKSTEP_COUNTERS_A_ROW 4

typedef struct counter_row {
    pg_atomic_uint64 key; /* 0: free */
    pg_atomic_uint64 counts[LOCKSTEP_COUNTERS_A_ROW];
} counter_row;

typedef struct counter_table {
    int32 size; /* a power of two */
    counter_row others;
    counter_row rows[FLEXIBLE_ARRAY_MEMBER];
} counter_table;

Size lockstep_room_for_counters(int32 size);

/* For one whom nobody disturbs: an empty table of this size. */
void lockstep_set_up_counters(counter_table *table, int32 size);

/* The same for a table that had been set up. */
void lockstep_clear_counters(counter_table *table);

/* The row of a key, which is not 0: found, taken, or the row of the others. */
counter_row *lockstep_counters_of(counter_table *table, uint64 key);

/* Makes a counter as large as `value` where it is smaller. */
void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value);

/* NOLINTEND(modernize-*) */
#endif
