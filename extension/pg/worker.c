#include "pg/version.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "pg/worker.h"

#define MOST_SAMPLERS 8
#define SAVE_EVERY (INT64CONST(3600) * USECS_PER_SEC)

static const sampler *samplers[MOST_SAMPLERS];
static int sampler_count = 0;
static int sample_interval = 60;

void lockstep_add_sampler(const sampler *one) {
    if (sampler_count == MOST_SAMPLERS)
        elog(ERROR, "lockstep: no room for the sampler \"%s\"", one->name);
    samplers[sampler_count++] = one;
}

/* One that fails is tried again with the next round: the others must not suffer. */
static void call_guarded(void (*work)(void), MemoryContext room) {
    MemoryContextSwitchTo(room);
    PG_TRY();
    { work(); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(room);
        HOLD_INTERRUPTS();
        LWLockReleaseAll();
        EmitErrorReport();
        FlushErrorState();
        RESUME_INTERRUPTS();
    }
    PG_END_TRY();
    MemoryContextReset(room);
}

static void take_all(MemoryContext room) {
    for (int i = 0; i < sampler_count; ++i)
        call_guarded(samplers[i]->take, room);
}

static void save_all(MemoryContext room) {
    for (int i = 0; i < sampler_count; ++i)
        if (samplers[i]->save != NULL)
            call_guarded(samplers[i]->save, room);
}

/* How long until the next round: the rounds are at whole intervals since the first one. */
static long wait_until(TimestampTz next) {
    return sample_interval == 0 ? -1L
                                : TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next);
}

LOCKSTEP_EXPORT void lockstep_sampler_main(Datum arg);

void lockstep_sampler_main(Datum arg) {
    const MemoryContext room =
        AllocSetContextCreate(TopMemoryContext, "lockstep sampler", ALLOCSET_DEFAULT_SIZES);
    TimestampTz next = GetCurrentTimestamp();
    TimestampTz saved = next;

    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    BackgroundWorkerUnblockSignals();
    while (!ShutdownRequestPending) {
        const TimestampTz now = GetCurrentTimestamp();

        /* The clock may have been set back. */
        next = Min(next, now + sample_interval * USECS_PER_SEC);
        saved = Min(saved, now);
        if (sample_interval > 0 && now >= next) {
            take_all(room);
            next += sample_interval * USECS_PER_SEC;
            if (next <= now)
                next = now + sample_interval * USECS_PER_SEC;
            if (now - saved >= SAVE_EVERY) {
                save_all(room);
                saved = now;
            }
        }
        (void)WaitLatch(MyLatch,
                        WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (sample_interval > 0 ? WL_TIMEOUT : 0),
                        wait_until(next), PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            const int before = sample_interval;

            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
            if (sample_interval != before)
                next = GetCurrentTimestamp();
        }
    }
    /* Not 0: ended by a person, it is started again. */
    proc_exit(1);
}

void lockstep_install_worker(void) {
    BackgroundWorker worker;

    DefineCustomIntVariable("lockstep.sample_interval",
                            "Time between two samples of the server; 0 takes none.",
                            "Needs lockstep in shared_preload_libraries.", &sample_interval, 60, 0,
                            86400, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    memset(&worker, 0, sizeof(worker));
    /* It reads shared memory alone: no database, and on a standby as well. */
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_ConsistentState;
    worker.bgw_restart_time = 60;
    strlcpy(worker.bgw_library_name, "lockstep", sizeof(worker.bgw_library_name));
    strlcpy(worker.bgw_function_name, "lockstep_sampler_main", sizeof(worker.bgw_function_name));
    strlcpy(worker.bgw_name, "lockstep sampler", sizeof(worker.bgw_name));
    strlcpy(worker.bgw_type, "lockstep sampler", sizeof(worker.bgw_type));
    RegisterBackgroundWorker(&worker);
}
