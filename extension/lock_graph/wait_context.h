/*
 * What a session itself says of the row that it waits for. Some waits for a transaction keep no
 * place in a row's line, so the lock manager does not tell the row: inserts of a key that another
 * transaction has inserted, and sessions that have the row locked already and want more. With
 * log_lock_waits the waiting session writes it into the context of a log message, once it has
 * waited for deadlock_timeout; a hook keeps that in shared memory. This needs
 * shared_preload_libraries; without it nothing is kept.
 */
#ifndef LOCKSTEP_LOCKS_WAIT_CONTEXT_H
#define LOCKSTEP_LOCKS_WAIT_CONTEXT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wait_context {
    uint32_t block;
    uint16_t offset;
    /* The plain name. Of an index: the row is the waiter's own, on its way into that index. */
    char relation[64];
} wait_context;

/* Reserves the memory and hooks into the log; does nothing where the module is loaded by a session.
 */
void lockstep_install_wait_contexts(void);

/* Reads the row out of the context of such a message; false where there is none. Raises nothing. */
bool lockstep_read_wait_context(const char *text, wait_context *to);

/* What the session of this slot said since its wait began; false where it has not said anything. */
bool lockstep_wait_context_of(int32_t slot, uint32_t vxid_local, int64_t wait_started,
                              wait_context *to);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
