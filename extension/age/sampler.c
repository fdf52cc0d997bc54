#include "pg/version.h"

#include "utils/guc.h"
#include "utils/timestamp.h"

#include "age/history.h"
#include "age/sampler.h"
#include "pg/workers.h"

#define SAVE_EVERY (INT64CONST(3600) * USECS_PER_SEC)

static void (*take_sample)(void) = NULL;
static int sample_interval = 60; /* seconds */

/* Of the worker's process. Samples are taken at whole intervals since the first one. */
static int interval_before = -1;
static TimestampTz next = 0;
static TimestampTz saved = 0;

static long until_next(void) {
    return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next);
}

/* One that fails is tried again with the next round. */
static long take_and_save(void) {
    const TimestampTz now = GetCurrentTimestamp();

    if (interval_before < 0)
        saved = now;
    if (sample_interval != interval_before)
        next = now;
    interval_before = sample_interval;
    if (sample_interval == 0)
        return -1L;
    /* The clock may have been set back. */
    next = Min(next, now + sample_interval * USECS_PER_SEC);
    saved = Min(saved, now);
    if (now < next)
        return until_next();
    (void)lockstep_do_work(take_sample);
    next += sample_interval * USECS_PER_SEC;
    if (next <= now)
        next = now + sample_interval * USECS_PER_SEC;
    if (now - saved >= SAVE_EVERY) {
        (void)lockstep_do_work(lockstep_save_history);
        saved = now;
    }
    return until_next();
}

/* It reads shared memory alone: no database, and on a standby as well. */
static const worker_kind sampler = {
    .name = "lockstep sampler",
    .library = "lockstep",
    .main = "lockstep_sampler_main",
    .starts = BgWorkerStart_ConsistentState,
    .restart_s = 60,
    .round = take_and_save,
};

LOCKSTEP_EXPORT void lockstep_sampler_main(Datum arg);

void lockstep_sampler_main(Datum arg) {
    lockstep_run_worker(&sampler);
}

void lockstep_install_sampler(void (*take)(void)) {
    take_sample = take;
    DefineCustomIntVariable("lockstep.sample_interval",
                            "Time between two samples of the server; 0 takes none.",
                            "Needs lockstep in shared_preload_libraries.", &sample_interval, 60, 0,
                            86400, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
    lockstep_add_worker(&sampler);
}
