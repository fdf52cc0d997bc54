/*
 * Parts of shared memory, made when the server starts with the module preloaded. One pair of hooks
 * asks for the room of all of them and sets them up.
 */
#ifndef LOCKSTEP_PG_SHARED_MEMORY_H
#define LOCKSTEP_PG_SHARED_MEMORY_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "storage/lwlock.h"

typedef struct shared_part {
    const char *name;
    /* Asked when all settings are known. */
    Size (*room)(void);
    /* Names the lock that comes with it; NULL: it needs none. */
    const char *tranche;
    /*
     * Takes the memory. Found: it is in use, by a server that starts each process anew; else its
     * bytes are to be set, by the postmaster, who is alone. Runs again after a crash.
     */
    void (*set_up)(void *memory, LWLock *lock, bool found);
} shared_part;

/* From _PG_init. Does nothing where the module is loaded by a session. */
void lockstep_add_shared_part(const shared_part *part);

/* NOLINTEND(modernize-*) */
#endif
