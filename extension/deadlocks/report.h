/*
 * What the server says of a deadlock: its DETAIL has a sentence for each who waits, in the language
 * of lc_messages. It is read by the server's own translated patterns.
 */
#ifndef LOCKSTEP_DEADLOCKS_REPORT_H
#define LOCKSTEP_DEADLOCKS_REPORT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "deadlocks/record.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct deadlock_sentence {
    int32_t pid;
    int32_t blocker_pid;
    int32_t mode;
    deadlock_lock lock; /* its method is 0 where it was not understood */
} deadlock_sentence;

/*
 * Reads up to `room` sentences, the victim's first, or that of another
 * member of its parallel query; returns how many there are in all, or 0 where
 * the text is no such one. Raises nothing, allocates nothing.
 */
int32_t lockstep_read_deadlock_report(const char *detail, deadlock_sentence *to, int32_t room);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
