#include "pg/version.h"

#include "utils/guc.h"

#include "age/history.h"
#include "age/sampler.h"
#include "pg/sampler.h"

static int sample_interval = 60; /* seconds */

static int64 interval(void) {
    return sample_interval * INT64CONST(1000);
}

static sampler_subscriber ages = {.interval = interval, .save = lockstep_save_history};

void lockstep_install_age_sampler(void (*take)(void)) {
    DefineCustomIntVariable("lockstep.sample_interval",
                            "Time between two samples of the server; 0 takes none.",
                            "Needs lockstep in shared_preload_libraries.", &sample_interval, 60, 0,
                            86400, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
    ages.take = take;
    lockstep_subscribe_to_sampler(&ages);
}
