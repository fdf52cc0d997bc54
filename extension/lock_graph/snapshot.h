/* The walk over the lock manager's shared memory. */
#ifndef LOCKSTEP_LOCKS_SNAPSHOT_H
#define LOCKSTEP_LOCKS_SNAPSHOT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "core/graph/lock_snapshot.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Everything that is waited for at one instant, in the current memory context. Takes the lock
 * manager's partition locks, all of them shared and once, and no heavyweight lock.
 * Raises nothing but out of memory (53200) and a cancel.
 */
const lock_snapshot *lockstep_take_lock_snapshot(void);

/*
 * What the table of processes says of one entry. Its leader is left unset. The caller sees to it
 * that the entry stays what it is.
 */
struct PGPROC;
void lockstep_copy_process(struct PGPROC *process, lock_process *copy);

/*
 * The row at whose line the process stands first: it keeps the lock on the row's place while it
 * waits for the transaction that has the row. Left as it was where there is none. The caller holds
 * every partition.
 */
void lockstep_copy_row(struct PGPROC *process, lock_wait *copy);

/* A backend by its pid, as it is now; false where it is gone. Its leader is left unset. */
bool lockstep_find_process(int pid, lock_process *to);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
