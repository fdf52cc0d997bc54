/*
 * How many deadlocks were recorded, by database, against what the server itself has counted there.
 */
#ifndef LOCKSTEP_DEADLOCKS_COVERAGE_H
#define LOCKSTEP_DEADLOCKS_COVERAGE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct deadlock_coverage {
    uint32_t database; /* 0: those that found no place, together */
    int64_t recorded;
    int64_t lost;  /* seen, and not recorded */
    int64_t since; /* 0: no statement has begun here since */
    /* What the server has counted since then; below zero: nothing can be said of that. */
    int64_t counted;
    int64_t missed;
    /* Where that is known: what the server will have counted when it has counted all of these. */
    int64_t server_in_the_end;
} deadlock_coverage;

/* When the server starts: asks for the memory. */
void lockstep_install_deadlock_coverage(void);

/* One more in this database. Raises nothing. */
void lockstep_count_deadlock(bool recorded);

/*
 * Where a statement begins: the first one of a database writes down what the server has counted
 * until now.
 */
void lockstep_begin_coverage(void);

/*
 * All databases, in the current memory context. The server counts when the victim's transaction is
 * over, and a little later.
 */
int32_t lockstep_copy_coverage(deadlock_coverage **to);

/* Begins at nothing. May raise an error, for want of memory, before it does anything. */
void lockstep_reset_coverage(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
