/*
 * Background workers: any number of kinds, each a process that the server starts, and starts again.
 * What all have in common is here: signals, settings read anew, the latch, errors, and a database
 * where one is named. There are workers only where the module was preloaded.
 */
#ifndef LOCKSTEP_PG_WORKERS_H
#define LOCKSTEP_PG_WORKERS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

#include "postmaster/bgworker.h"

typedef struct worker_kind {
    const char *name; /* in the log, and as backend_type in pg_stat_activity */
    /*
     * Where the process begins: an exported function of the module, declared as
     * void main(Datum), that does nothing but lockstep_run_worker().
     */
    const char *library;
    const char *main;
    /*
     * The database that it opens, by name; NULL: none, and then it sees shared memory alone. One
     * that a worker has open can be dropped WITH (FORCE) only. Where it cannot be opened, the
     * process ends, and tries again when it is restarted.
     */
    const char *database;
    const char *role;         /* whose rights it has there; NULL: the superuser that initdb made */
    BgWorkerStartTime starts; /* BgWorkerStart_ConsistentState: on a standby as well */
    /*
     * Seconds until it is started again, whatever ended it: an error, somebody's
     * pg_terminate_backend. BGW_NEVER_RESTART: it is not.
     */
    int restart_s;
    /*
     * Does what is due, and says in how many milliseconds it wants to be called again; -1: no
     * sooner than something wakes it. It is called when the process begins, when the time is up,
     * and whenever the process is woken: by a latch, or after the settings were read anew. An error
     * that leaves it ends the process; so what may fail goes into lockstep_do_work().
     */
    long (*round)(void);
} worker_kind;

/* From _PG_init; does nothing where a session loads the module. The kind must live on. */
void lockstep_add_worker(const worker_kind *kind);

/* The life of such a process. Does not return. */
void lockstep_run_worker(const worker_kind *kind);

/*
 * From a round: calls a piece of its work, in a memory context that is emptied afterwards; where
 * the worker has a database in a transaction of its own, with a snapshot. False where it failed:
 * the error has been reported, its transaction rolled back, and the process goes on. There
 * pg_cancel_backend ends the piece, and nothing more.
 */
bool lockstep_do_work(void (*work)(void));

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
