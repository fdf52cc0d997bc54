/*
 * What goes to the server's log: every message of this process, of whatever level, that
 * log_min_messages lets through. One emit_log_hook for any number of subscribers.
 */
#ifndef LOCKSTEP_PG_ERROR_REPORTS_H
#define LOCKSTEP_PG_ERROR_REPORTS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

typedef struct error_report_subscriber {
    /*
     * Sees a report before it is written, after the hooks of modules that were loaded earlier. It
     * must not raise an error, wait, or change the report: the process may be in the middle of an
     * error, and short of memory. What it reports itself no subscriber sees.
     */
    void (*reported)(const ErrorData *report);
    struct error_report_subscriber *next; /* the service's own */
} error_report_subscriber;

/*
 * From _PG_init, once each. Subscribers are called in the order of their subscription; each must
 * live as long as the process.
 */
void lockstep_subscribe_to_error_reports(error_report_subscriber *one);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
