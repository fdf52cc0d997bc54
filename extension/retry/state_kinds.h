/*
 * The SQLSTATEs that are counted each by itself, numbered; all others are one kind. Fails never,
 * allocates nothing: an error may be on its way.
 */
#ifndef LOCKSTEP_RETRY_STATE_KINDS_H
#define LOCKSTEP_RETRY_STATE_KINDS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many there are, with the kind of all others, which is the last. */
int32_t lockstep_state_kinds(void);

/* The kind of a state, packed as the server does. */
int32_t lockstep_kind_of_state(int32_t sqlstate);

/* The reverse; 0 for the kind of all others. */
int32_t lockstep_state_of_kind(int32_t kind);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
