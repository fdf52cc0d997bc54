/*
 * What there is to be seen at the moment at which a deadlock is found: all others still wait, and
 * the victim still has what it has.
 */
#ifndef LOCKSTEP_DEADLOCKS_SCENE_H
#define LOCKSTEP_DEADLOCKS_SCENE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "deadlocks/record.h"
#include "deadlocks/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fills the sessions of a record, whose other fields are the caller's: those of the sentences, this
 * process's first, and those who wait behind them. With no sentences this process alone is a
 * member. `waited_since` is since when this process had waited. Takes the lock manager's partition
 * locks, shared and once; raises nothing and allocates nothing.
 */
void lockstep_look_at_deadlock(deadlock_record *to, const deadlock_sentence *sentences,
                               int32_t count, int64_t waited_since);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
