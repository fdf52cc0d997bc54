/*
 * Sees each error of this process once, whether it is trapped or ends the transaction. What is
 * raised while a statement runs is seen as it is raised, by a callback for the error's context;
 * what is raised at COMMIT, in parsing or in planning is seen when it is reported to the log. That
 * needs log_min_messages of error or lower, and the module in shared_preload_libraries.
 */
#ifndef LOCKSTEP_PG_ERROR_WATCH_H
#define LOCKSTEP_PG_ERROR_WATCH_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

typedef struct error_watcher {
    /* Whether the SQLSTATE is of interest. Asked for every message of any level. */
    bool (*wants)(int sqlstate);
    /*
     * An error of such a state. Of its context there is what was added so far. It must not fail,
     * wait for anything but a lightweight lock, or keep the error.
     */
    void (*sees)(const ErrorData *error);
    /* An outermost statement of a client begins, and has ended without an error; may be NULL. */
    void (*begins)(void);
    void (*ends)(void);
    /*
     * Whether it sees the errors of parallel workers in these too. Their leader raises them again,
     * where everyone sees them.
     */
    bool sees_workers;
    struct error_watcher *next; /* the service's own */
} error_watcher;

/*
 * From _PG_init, once each, when the module is preloaded. Watchers are called in the order of their
 * subscription; each must live as long as the process.
 */
void lockstep_watch_errors(error_watcher *one);

/* Whether a statement is under way. Of an error that nothing has trapped there is none left. */
bool lockstep_is_in_statement(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
