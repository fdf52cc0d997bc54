#include "pg/version.h"

#include "access/parallel.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/elog.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "deadlocks/coverage.h"
#include "deadlocks/record.h"
#include "deadlocks/report.h"
#include "deadlocks/ring.h"
#include "deadlocks/scene.h"
#include "deadlocks/watch.h"
#include "pg/error_reports.h"
#include "pg/error_watch.h"
#include "pg/transaction_ends.h"

/* Not on the stack, and touched by nobody who meets no deadlock. */
static deadlock_record found;

/*
 * The deadlock of this process of which it is not known yet what becomes; 0: there is none. Whether
 * a subtransaction has ended by it, and whether it has left the client's statement: then another
 * one begins.
 */
static int64 undecided = 0;
static bool ended_subtransaction = false;
static bool left_statement = false;

static void decide(deadlock_fate fate) {
    lockstep_decide_deadlock(undecided, fate);
    undecided = 0;
}

/* Who has met another one has gone on after this one, if a subtransaction ended by it. */
static void leave_earlier(void) {
    if (undecided != 0 && ended_subtransaction)
        decide(DEADLOCK_TRAPPED);
    undecided = 0;
}

static void follow(int64 id) {
    undecided = id;
    ended_subtransaction = left_statement = false;
}

/*
 * Who holds a lightweight lock must not take those of the lock manager; each that is held puts off
 * interrupts.
 */
static bool may_look(void) {
    return MyProc != NULL && InterruptHoldoffCount == 0 && CritSectionCount == 0;
}

static bool is_same_lock(const deadlock_lock *a, const deadlock_lock *b) {
    return a->method != 0 && memcmp(a, b, sizeof(*a)) == 0;
}

/*
 * Two who have one lock and both want more of it are found by the second one before it waits, and
 * no other deadlock is.
 */
static bool is_immediate(const deadlock_sentence *sentences, int32 count) {
    return count == 2 && is_same_lock(&sentences[0].lock, &sentences[1].lock);
}

static void begin_record(deadlock_finder finder, const char *context) {
    memset(&found, 0, sizeof(found));
    found.detected_at = GetCurrentTimestamp();
    found.next_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
    found.database = MyDatabaseId;
    found.timeout_ms = DeadlockTimeout;
    found.found_by = (int32)finder;
    if (context == NULL)
        return;
    strlcpy(found.context, context, sizeof(found.context));
    if (finder != DEADLOCK_RESOLVED_BY_REORDER)
        (void)lockstep_read_wait_context(context, &found.said);
}

/* The victim has been told; it waits no more, and the others still do. */
static void record_deadlock(const ErrorData *error, const deadlock_sentence *sentences,
                            int32 count) {
    const bool immediate = is_immediate(sentences, count);
    bool recorded = false;

    leave_earlier();
    if (may_look()) {
        begin_record(immediate ? DEADLOCK_FOUND_IMMEDIATELY : DEADLOCK_FOUND_BY_TIMEOUT,
                     error->context);
        lockstep_look_at_deadlock(&found, sentences, count,
                                  immediate ? 0 : get_timeout_start_time(DEADLOCK_TIMEOUT));
        recorded = lockstep_add_deadlock(&found);
        if (recorded)
            follow(found.id);
    }
    lockstep_count_deadlock(recorded);
}

static bool is_from(const char *function, const char *wanted) {
    return function != NULL && strcmp(function, wanted) == 0;
}

static bool is_deadlock(int state) {
    return state == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/* Anybody can raise that state, but not from there. */
static void see_error(const ErrorData *error) {
    deadlock_sentence sentences[LOCKSTEP_DEADLOCK_MEMBERS];
    int64 recorded;
    int32 count;

    if (!lockstep_has_deadlock_ring() || error->detail == NULL ||
        !is_from(error->funcname, "DeadLockReport"))
        return;
    count = lockstep_read_deadlock_report(error->detail, sentences, lengthof(sentences));
    recorded = 0;
    /* The server goes through all members of a parallel query, and may begin with another one. */
    if (count > 0 && sentences[0].pid != MyProcPid && !IsParallelWorker())
        recorded = lockstep_deadlock_of_worker(MyProcPid);
    if (recorded == 0) {
        record_deadlock(error, sentences, count);
        return;
    }
    /* A parallel worker of this process has recorded it; here it goes on. */
    leave_earlier();
    follow(recorded);
}

/* With log_lock_waits: a queue was put into another order, and so nobody had to give up. */
static void see_report(const ErrorData *report) {
    static const char avoided[] = "process %d avoided deadlock";

    if (report->elevel != LOG || report->message_id == NULL || !lockstep_has_deadlock_ring() ||
        strncmp(report->message_id, avoided, sizeof(avoided) - 1) != 0 ||
        !is_from(report->funcname, "ProcSleep") || !may_look())
        return;
    begin_record(DEADLOCK_RESOLVED_BY_REORDER, report->message);
    lockstep_look_at_deadlock(&found, NULL, 0, get_timeout_start_time(DEADLOCK_TIMEOUT));
    (void)lockstep_add_deadlock(&found);
}

static void statement_begins(void) {
    left_statement = true;
    if (lockstep_has_deadlock_ring())
        lockstep_begin_coverage();
}

/* The statement in which it was raised has come to a good end. */
static void statement_ends(void) {
    if (undecided != 0 && !left_statement)
        decide(DEADLOCK_TRAPPED);
}

static bool is_in_its_statement(void) {
    return !left_statement && lockstep_is_in_statement();
}

static void at_subtransaction(SubXactEvent event, SubTransactionId own pg_attribute_unused(),
                              SubTransactionId parent pg_attribute_unused()) {
    if (undecided == 0)
        return;
    if (event == SUBXACT_EVENT_ABORT_SUB)
        ended_subtransaction = true;
    else if (event == SUBXACT_EVENT_START_SUB && ended_subtransaction)
        decide(is_in_its_statement() ? DEADLOCK_TRAPPED : DEADLOCK_SAVEPOINT);
}

static void at_transaction(XactEvent event) {
    if (undecided == 0)
        return;
    switch (event) {
    case XACT_EVENT_ABORT:
        if (is_in_its_statement())
            decide(ended_subtransaction ? DEADLOCK_TRAPPED : DEADLOCK_RETRIED);
        else
            decide(DEADLOCK_ABORTED);
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE: decide(DEADLOCK_TRAPPED); break;
    case XACT_EVENT_PARALLEL_ABORT:
    case XACT_EVENT_PARALLEL_COMMIT: undecided = 0; break; /* its leader knows */
    default: break;
    }
}

static error_watcher errors = {
    .wants = is_deadlock,
    .sees = see_error,
    .begins = statement_begins,
    .ends = statement_ends,
    .sees_workers = true,
};
static error_report_subscriber reports = {.reported = see_report};
static transaction_subscriber ends = {
    .transaction = at_transaction,
    .subtransaction = at_subtransaction,
};

void lockstep_install_deadlock_watch(void) {
    lockstep_install_deadlock_ring();
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_install_deadlock_coverage();
    lockstep_watch_errors(&errors);
    lockstep_subscribe_to_error_reports(&reports);
    lockstep_subscribe_to_transaction_ends(&ends);
}
