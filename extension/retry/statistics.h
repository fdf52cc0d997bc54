/*
 * How often work has to be done again: errors that ask for it, attempts of CALL lockstep.retry,
 * and attempts that clients announce with lockstep.attempt. Kept in shared memory, so there is
 * nothing to see where the module was not preloaded; to count is then to do nothing.
 */
#ifndef LOCKSTEP_RETRY_STATISTICS_H
#define LOCKSTEP_RETRY_STATISTICS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* When the module is loaded: defines lockstep.attempt; preloaded, asks for the memory as well. */
void lockstep_install_retry_statistics(void);

/* Whether anything is counted. */
bool lockstep_has_retry_statistics(void);

/* CALL lockstep.retry: one more attempt, after this state and this pause. */
void lockstep_count_retry(int sqlstate, int64_t waited_us);

/* CALL lockstep.retry: its attempts begin, or end. Between the two what is announced is its own. */
void lockstep_in_retry_call(bool running);

/* CALL lockstep.retry: there will be no further attempt. */
void lockstep_count_given_up(void);

typedef struct retry_count {
    uint32_t database; /* 0: several, for which the table had no room */
    int32_t sqlstate;  /* packed as the server does; 0: all that have no kind of their own */
    int64_t errors;
    int64_t retries;
    int64_t waited_us;
    int64_t last_at; /* microseconds since 2000-01-01 */
} retry_count;

/* One for each database and state, in no order, in the current memory context. */
int32_t lockstep_copy_retry_counts(retry_count **to);

/*
 * What a transaction counts at most, whatever it says. Nobody waits for that many attempts; beyond
 * it, one transaction would say more about the mean than a hundred others.
 */
#define LOCKSTEP_MOST_ATTEMPTS 100

typedef struct attempt_count {
    uint32_t database; /* 0: several */
    bool by_retry;     /* else by a client */
    int64_t transactions;
    int64_t attempts;
    int64_t most;
    int64_t given_up;
} attempt_count;

/* One for each database and source, the same way. */
int32_t lockstep_copy_attempt_counts(attempt_count **to);

typedef struct retry_minute {
    int64_t transactions; /* committed, and could have conflicted */
    int64_t conflicts;    /* errors of class 40 */
    int64_t deadlocks;
    int64_t announced; /* transactions that said which attempt they were */
    int64_t attempts;  /* what they said, added up */
} retry_minute;

/* The last minute of all databases. */
retry_minute lockstep_last_minute(void);

/* Begins at nothing. */
void lockstep_clear_retry_statistics(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
