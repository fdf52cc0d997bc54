/*
 * What a sequence is at, read in its page as nextval() reads it. The server's own functions ask for
 * the caller's rights.
 */
#ifndef LOCKSTEP_PG_SEQUENCE_PAGE_H
#define LOCKSTEP_PG_SEQUENCE_PAGE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lockstep_sequence_state {
    int64 last_value;
    bool is_called;  /* last_value was handed out: the next one comes after it */
    int64 increment; /* below zero where the sequence descends */
    int64 least;
    int64 most;
} lockstep_sequence_state;

/* Call inside the guard, with a lock on the sequence or on its table. */
lockstep_sequence_state lockstep_sequence_state_of(Oid sequence);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
