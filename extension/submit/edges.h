/*
 * Who waits for whom in the queue of CALL submit, for the lock graph.
 */
#ifndef LOCKSTEP_SUBMIT_EDGES_H
#define LOCKSTEP_SUBMIT_EDGES_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many calls there can be in the queue. */
int lockstep_submit_places(void);

/*
 * Who waits for whom just now, by pid. Each who waits stands with who leads: with who has taken his
 * call, works on one of his rows or will take it. Who is kept by none of these stands behind one
 * who waits himself. Never in a ring. Takes the queue's lock, shared, and raises nothing. Returns
 * how many pairs were written, `room` at most.
 */
typedef struct submit_edge {
    int64_t started; /* since when the follower waits, in microseconds since 2000-01-01 */
    int32_t follower;
    int32_t leader;
} submit_edge;
int lockstep_submit_edges(submit_edge *to, int room);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
