#include "pg/error_reports.h"

#include "utils/elog.h"

static error_report_subscriber *first = NULL;
static error_report_subscriber **end = &first;
static emit_log_hook_type earlier_hook = NULL;

/* Whether subscribers are being called. */
static bool telling = false;

static void tell(const ErrorData *report) {
    for (const error_report_subscriber *one = first; one != NULL; one = one->next)
        one->reported(report);
}

/*
 * A subscriber that reports something comes here again, and were it called for that too, it might
 * never end. One that raises an error, which it must not, is to blame for that error, but the
 * reports that follow are still told.
 */
static void see_report(ErrorData *report) {
    if (earlier_hook != NULL)
        earlier_hook(report);
    if (telling)
        return;
    telling = true;
    PG_TRY();
    { tell(report); }
    PG_FINALLY();
    { telling = false; }
    PG_END_TRY();
}

void lockstep_subscribe_to_error_reports(error_report_subscriber *one) {
    if (first == NULL) {
        earlier_hook = emit_log_hook;
        emit_log_hook = see_report;
    }
    one->next = NULL;
    *end = one;
    end = &one->next;
}
