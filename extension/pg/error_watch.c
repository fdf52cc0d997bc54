#include "pg/version.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/elog.h"
#include "utils/memutils.h"

#include "pg/error_reports.h"
#include "pg/error_watch.h"
#include "pg/transaction_ends.h"

static error_watcher *first = NULL;
static error_watcher **last = &first;
static MemoryContext room_for_copy = NULL;
static ExecutorRun_hook_type earlier_run_hook = NULL;
static ExecutorFinish_hook_type earlier_finish_hook = NULL;
static ProcessUtility_hook_type earlier_utility_hook = NULL;

/*
 * Whether the error that is on its way, if there is one, came through a statement, where the
 * callback has seen it. True from the beginning of an outermost statement until it ends well; an
 * error that leaves it leaves this true, for the report that follows. An error that is trapped
 * inside, and raised anew by RAISE without arguments, does not pass the callbacks again, and is
 * reported once: so it is enough to know where an error came from.
 */
static bool came_through_statement = false;

static void see_error(void *arg);

/* The innermost of our callbacks; NULL outside of any statement. */
static ErrorContextCallback *innermost(void) {
    ErrorContextCallback *at = error_context_stack;

    while (at != NULL && at->callback != see_error)
        at = at->previous;
    return at;
}

static bool is_wanted_by(const error_watcher *one, int state) {
    return one->wants(state) && (one->sees_workers || !IsParallelWorker());
}

static bool is_wanted(int state) {
    for (const error_watcher *one = first; one != NULL; one = one->next)
        if (is_wanted_by(one, state))
            return true;
    return false;
}

static void tell(const ErrorData *error) {
    for (const error_watcher *one = first; one != NULL; one = one->next)
        if (is_wanted_by(one, error->sqlerrcode))
            one->sees(error);
}

/*
 * Runs for each message of any level, within ereport(), once for each statement that is under way:
 * of these the innermost sees it. The message goes on as it is. A WARNING or less may have any
 * state too; only a copy tells. Its memory is there beforehand, for texts of the usual length.
 */
static void see_error(void *arg) {
    MemoryContext before;
    const ErrorData *copy;

    if (!is_wanted(geterrcode()) || innermost() != arg)
        return;
    before = MemoryContextSwitchTo(room_for_copy);
    copy = CopyErrorData();
    MemoryContextSwitchTo(before);
    if (copy->elevel >= ERROR)
        tell(copy);
    MemoryContextReset(room_for_copy);
}

/* Returns whether the statement is an outermost one. */
static bool enter(ErrorContextCallback *frame) {
    const bool outermost = innermost() == NULL;

    if (outermost) {
        came_through_statement = true;
        for (const error_watcher *one = first; one != NULL; one = one->next)
            if (one->begins != NULL)
                one->begins();
    }
    frame->callback = see_error;
    frame->arg = frame;
    frame->previous = error_context_stack;
    error_context_stack = frame;
    return outermost;
}

/* Of an error that passes, whoever traps it takes the callback away. */
static void leave(const ErrorContextCallback *frame, bool outermost) {
    error_context_stack = frame->previous;
    if (!outermost)
        return;
    came_through_statement = false;
    for (const error_watcher *one = first; one != NULL; one = one->next)
        if (one->ends != NULL)
            one->ends();
}

static void run(LOCKSTEP_EXECUTOR_RUN_PARAMETERS) {
    ErrorContextCallback frame;
    const bool outermost = enter(&frame);

    if (earlier_run_hook != NULL)
        earlier_run_hook(LOCKSTEP_EXECUTOR_RUN_ARGUMENTS);
    else
        standard_ExecutorRun(LOCKSTEP_EXECUTOR_RUN_ARGUMENTS);
    leave(&frame, outermost);
}

static void finish(QueryDesc *query) {
    ErrorContextCallback frame;
    const bool outermost = enter(&frame);

    if (earlier_finish_hook != NULL)
        earlier_finish_hook(query);
    else
        standard_ExecutorFinish(query);
    leave(&frame, outermost);
}

static void run_utility(PlannedStmt *plan, const char *text, bool read_only_tree,
                        ProcessUtilityContext context, ParamListInfo parameters,
                        QueryEnvironment *environment, DestReceiver *receiver,
                        QueryCompletion *completion) {
    ErrorContextCallback frame;
    const bool outermost = enter(&frame);

    if (earlier_utility_hook != NULL)
        earlier_utility_hook(plan, text, read_only_tree, context, parameters, environment, receiver,
                             completion);
    else
        standard_ProcessUtility(plan, text, read_only_tree, context, parameters, environment,
                                receiver, completion);
    leave(&frame, outermost);
}

/* Runs for every message that goes to the log. It must not fail, allocate, or take a lock. */
static void see_report(const ErrorData *report) {
    if (report->elevel >= ERROR) {
        const bool seen = came_through_statement;

        /* Whoever reports an error within a statement, and goes on, is still inside. */
        came_through_statement = innermost() != NULL;
        if (!seen)
            tell(report);
    }
}

/*
 * A deferred trigger runs outside of a statement, and may trap what its own statements raise. When
 * the last of them is done that is over: what COMMIT raises now has not been seen.
 */
static void at_end(XactEvent event) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
        came_through_statement = innermost() != NULL;
}

static error_report_subscriber reports = {.reported = see_report};
static transaction_subscriber ends = {.transaction = at_end};

bool lockstep_is_in_statement(void) {
    return innermost() != NULL;
}

static void set_hooks(void) {
    room_for_copy =
        AllocSetContextCreate(TopMemoryContext, "lockstep error", ALLOCSET_DEFAULT_SIZES);
    earlier_run_hook = ExecutorRun_hook;
    ExecutorRun_hook = run;
    earlier_finish_hook = ExecutorFinish_hook;
    ExecutorFinish_hook = finish;
    earlier_utility_hook = ProcessUtility_hook;
    ProcessUtility_hook = run_utility;
    lockstep_subscribe_to_error_reports(&reports);
    lockstep_subscribe_to_transaction_ends(&ends);
}

void lockstep_watch_errors(error_watcher *one) {
    if (first == NULL)
        set_hooks();
    one->next = NULL;
    *last = one;
    last = &one->next;
}
