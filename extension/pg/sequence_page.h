/*
 * What a sequence is at, read and raised in its page as nextval() and setval() do it. The server's
 * own functions ask for the caller's rights; and setval() may put a sequence back, where others
 * have drawn since its value was read.
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
} lockstep_sequence_state;

/* Call inside the guard, with a lock on the sequence or on its table: they raise the server's
 * errors. */
lockstep_sequence_state lockstep_sequence_state_of(Oid sequence);

/*
 * Nobody is handed out a number up to this one any more. As with nextval(), that is not undone with
 * the transaction. False where the sequence does not ascend, or ends there; then nothing is done.
 */
bool lockstep_raise_sequence(Oid sequence, int64 above);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
