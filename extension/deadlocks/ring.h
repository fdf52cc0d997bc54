/*
 * The last deadlocks, in a ring in shared memory, and in a file from one start of the server to the
 * next. There is one only where the module was preloaded. Who writes takes no lock.
 */
#ifndef LOCKSTEP_DEADLOCKS_RING_H
#define LOCKSTEP_DEADLOCKS_RING_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "deadlocks/record.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* When the server starts: asks for the memory and reads the file. */
void lockstep_install_deadlock_ring(void);

/* Whether there is a ring. */
bool lockstep_has_deadlock_ring(void);

/*
 * Adds a deadlock and gives it its id; the oldest one gives way. Returns false where it was lost:
 * another process writes into the same place still. Raises nothing, allocates nothing.
 */
bool lockstep_add_deadlock(deadlock_record *one);

/* What became of it, where that is not said yet. Raises nothing. */
void lockstep_decide_deadlock(int64_t id, deadlock_fate fate);

/* The newest deadlock whose victim was a worker of this leader, and is not decided; 0: none. */
int64_t lockstep_deadlock_of_worker(int32_t leader_pid);

/* All that are whole, oldest first, in the current memory context. */
int32_t lockstep_copy_deadlocks(deadlock_record **to);

/* Forgets all. Ids go on. */
void lockstep_forget_deadlocks(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
