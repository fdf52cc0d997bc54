/*
 * The two looks at the lock manager that a sample needs beside the lock graph's snapshot: whether
 * there is anything to see, and what those who wait have locked.
 */
#ifndef LOCKSTEP_LOCK_SAMPLES_LOOK_H
#define LOCKSTEP_LOCK_SAMPLES_LOOK_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "core/graph/lock_snapshot.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one process no more are looked at. */
#define LOCKSTEP_MOST_HELD 64

/* A table that a waiting process has locked, in ROW SHARE or more. */
typedef struct held_relation {
    int32_t wait; /* of the snapshot's waits */
    uint32_t database;
    uint32_t relation;
    uint32_t modes; /* mask */
} held_relation;

/* Whether anybody waits for a lock at this moment. Takes no lock for it. */
bool lockstep_somebody_waits(void);

/*
 * What those have locked who wait in the snapshot, and still wait in the same way: who waits
 * neither takes a lock nor gives one back, so it is what he had then. In the current memory
 * context. Takes their fast paths and the lock manager's partitions, shared and one at a time;
 * raises nothing but out of memory (53200).
 */
int32_t lockstep_copy_held_relations(const lock_snapshot *snapshot, held_relation **to);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
