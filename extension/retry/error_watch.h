/*
 * Sees each error of this process once, whether it is trapped or ends the transaction. What is
 * raised while a statement runs is seen as it is raised, by a callback for the error's context;
 * what is raised at COMMIT, in parsing or in planning is seen when it is reported to the log. That
 * needs log_min_messages of error or lower, and the module in shared_preload_libraries.
 */
#ifndef LOCKSTEP_RETRY_ERROR_WATCH_H
#define LOCKSTEP_RETRY_ERROR_WATCH_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>

typedef struct error_watcher {
    /* Whether the SQLSTATE is of interest. Asked for every message of any level. */
    bool (*wants)(int sqlstate);
    /* An error of such a state: it must not fail, wait, or take a lock. */
    void (*sees)(int sqlstate);
    /* A statement of a client begins. */
    void (*begins)(void);
} error_watcher;

/* Sets the hooks; once. */
void lockstep_watch_errors(const error_watcher *one);

/* NOLINTEND(modernize-*) */
#endif
