#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "pg/workers.h"

/* What this process is. */
static const worker_kind *own = NULL;
static MemoryContext room = NULL;

static bool has_database(void) {
    return own->database != NULL;
}

static void begin(void) {
    if (!has_database())
        return;
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    pgstat_report_activity(STATE_RUNNING, own->name);
}

static void end(void) {
    if (!has_database())
        return;
    PopActiveSnapshot();
    CommitTransactionCommand();
    (void)pgstat_report_stat(true);
    pgstat_report_activity(STATE_IDLE, NULL);
}

/* After an error, as PostgresMain does. */
static void clean_up(void) {
    HOLD_INTERRUPTS();
    QueryCancelPending = false;
    EmitErrorReport();
    if (has_database()) {
        AbortOutOfAnyTransaction();
        pgstat_report_activity(STATE_IDLE, NULL);
    } else
        LWLockReleaseAll();
    MemoryContextSwitchTo(room);
    FlushErrorState();
    RESUME_INTERRUPTS();
}

bool lockstep_do_work(void (*work)(void)) {
    const MemoryContext before = MemoryContextSwitchTo(room);
    volatile bool is_done = false;

    PG_TRY();
    {
        begin();
        work();
        end();
        is_done = true;
    }
    PG_CATCH();
    { clean_up(); }
    PG_END_TRY();
    MemoryContextSwitchTo(before);
    MemoryContextReset(room);
    return is_done;
}

/* A request to cancel something, while there is nothing to cancel, is none. */
static void answer_interrupts(void) {
    QueryCancelPending = false;
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

void lockstep_run_worker(const worker_kind *kind) {
    own = kind;
    room = AllocSetContextCreate(TopMemoryContext, "lockstep worker", ALLOCSET_DEFAULT_SIZES);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    /* At the next safe place. The default of workers raises its error within the signal handler. */
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    if (has_database())
        BackgroundWorkerInitializeConnection(own->database, own->role, 0);
    /* Asked between two rounds, it ends without a word; within one, by an error that says it. */
    while (!ProcDiePending) {
        const long pause_ms = own->round();

        (void)WaitLatch(MyLatch,
                        WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (pause_ms >= 0 ? WL_TIMEOUT : 0),
                        pause_ms, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        if (!ProcDiePending)
            answer_interrupts();
    }
    /* Not 0, which would be for good: ended by a person, it is started again. */
    proc_exit(1);
}

void lockstep_add_worker(const worker_kind *kind) {
    BackgroundWorker worker;

    if (!process_shared_preload_libraries_in_progress)
        return;
    memset(&worker, 0, sizeof(worker));
    worker.bgw_flags =
        BGWORKER_SHMEM_ACCESS | (kind->database != NULL ? BGWORKER_BACKEND_DATABASE_CONNECTION : 0);
    worker.bgw_start_time = kind->starts;
    worker.bgw_restart_time = kind->restart_s;
    strlcpy(worker.bgw_library_name, kind->library, sizeof(worker.bgw_library_name));
    strlcpy(worker.bgw_function_name, kind->main, sizeof(worker.bgw_function_name));
    strlcpy(worker.bgw_name, kind->name, sizeof(worker.bgw_name));
    strlcpy(worker.bgw_type, kind->name, sizeof(worker.bgw_type));
    RegisterBackgroundWorker(&worker);
}
