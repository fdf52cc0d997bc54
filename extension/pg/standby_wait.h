/*
 * Whether a commit has waited for its synchronous standbys until they had it, or was told to go on
 * before: the server says so in a WARNING, and to nobody else.
 */
#ifndef LOCKSTEP_PG_STANDBY_WAIT_H
#define LOCKSTEP_PG_STANDBY_WAIT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Of the transaction that ends just now, at XACT_EVENT_COMMIT: whether it was to wait for standbys
 * and has not seen them have it. Raises nothing.
 */
bool lockstep_standbys_may_lack_commit(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
