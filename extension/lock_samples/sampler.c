#include "pg/version.h"

#include "utils/guc.h"

#include "lock_samples/pairs.h"
#include "lock_samples/sampler.h"
#include "lock_samples/waits.h"
#include "pg/sampler.h"

static int lock_sample_interval = 1000;  /* milliseconds */
static int lock_history_min_wait = 1000; /* milliseconds */

static int64 interval(void) {
    return lock_sample_interval;
}

static void save(void) {
    lockstep_save_wait_history();
    lockstep_save_pairs();
}

static sampler_subscriber locks = {.interval = interval, .save = save};

void lockstep_install_lock_sampler(void (*take)(void)) {
    DefineCustomIntVariable("lockstep.lock_sample_interval",
                            "Time between two looks at who waits for a lock; 0 takes none.",
                            "Needs lockstep in shared_preload_libraries.", &lock_sample_interval,
                            1000, 0, 3600000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
    DefineCustomIntVariable("lockstep.lock_history_min_wait",
                            "How long a wait must have lasted for lock_wait_history to keep it.",
                            "Needs lockstep in shared_preload_libraries.", &lock_history_min_wait,
                            1000, 0, 3600000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
    locks.take = take;
    lockstep_subscribe_to_sampler(&locks);
}

int64_t lockstep_shortest_kept_wait(void) {
    return lock_history_min_wait * INT64CONST(1000);
}
