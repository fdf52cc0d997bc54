/*
 * Parts of shared memory, as many as there are, made when the server starts with the module
 * preloaded. One pair of hooks asks for the room of all of them and sets them up.
 */
#ifndef LOCKSTEP_PG_SHARED_MEMORY_H
#define LOCKSTEP_PG_SHARED_MEMORY_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

#include "storage/lwlock.h"

typedef struct shared_part {
    const char *name; /* unlike all others in the server */
    /* In bytes. Asked twice when all settings are known, and says the same. */
    Size (*room)(void);
    /* Names the lock that comes with it, one a part; NULL: it needs none. */
    const char *tranche;
    /*
     * Takes the memory, which is aligned to a cache line, and the lock (NULL where there is none).
     * Found: it is in use, by a server that starts each process anew; else its bytes are to be set,
     * by the postmaster, who is alone. Runs again after a crash.
     */
    void (*set_up)(void *memory, LWLock *lock, bool found);
    struct shared_part *next; /* the service's own */
} shared_part;

/*
 * From _PG_init, once each. Does nothing where the module is loaded by a session: then set_up is
 * never called. Parts are set up in the order in which they were added; each must live on.
 */
void lockstep_add_shared_part(shared_part *part);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
