/*
 * What happened in each of the last seconds, kept apart for each process, which alone writes it: a
 * commit touches no memory that another process writes. Readers add up the last minute.
 */
#ifndef LOCKSTEP_RETRY_LAST_MINUTE_H
#define LOCKSTEP_RETRY_LAST_MINUTE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "datatype/timestamp.h"

typedef enum minute_count {
    MINUTE_TRANSACTIONS, /* committed, and could have conflicted */
    MINUTE_CONFLICTS,    /* errors of class 40 */
    MINUTE_DEADLOCKS,    /* of these 40P01 */
    MINUTE_ANNOUNCED,    /* transactions that said which attempt they were */
    MINUTE_ATTEMPTS,     /* what they said, added up */
    MINUTE_COUNTS
} minute_count;

typedef struct process_seconds process_seconds;

Size lockstep_room_for_minute(void);

/* The memory of every process; all of it is empty after that. */
void lockstep_set_up_minute(process_seconds *all);

/*
 * Adds to the second of `now` in this process's own row; processes without one are passed over.
 * What was counted under another number of resets counts as nothing.
 */
void lockstep_add_to_minute(process_seconds *all, uint32 resets, TimestampTz now,
                            minute_count which, uint64 amount);

/* The last 60 seconds of all processes, the present one included. */
void lockstep_sum_minute(process_seconds *all, uint32 resets, TimestampTz now,
                         uint64 sums[MINUTE_COUNTS]);

/* NOLINTEND(modernize-*) */
#endif
