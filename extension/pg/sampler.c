#include "pg/version.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "pg/sampler.h"
#include "pg/workers.h"

#define SAVE_EVERY (INT64CONST(3600) * USECS_PER_SEC)
#define PAST_ALL PG_INT64_MAX

static sampler_subscriber *first = NULL;
static sampler_subscriber **end = &first;

/*
 * Does what is due, and says when something will be. Samples are taken at whole intervals since
 * the first one; one that fails is tried again with the next round.
 */
static TimestampTz serve(sampler_subscriber *one) {
    const int64 interval = one->interval() * 1000;
    const TimestampTz now = GetCurrentTimestamp();

    if (one->saved_at == 0)
        one->saved_at = now;
    if (interval != one->interval_before)
        one->next_at = now;
    one->interval_before = interval;
    if (interval == 0)
        return PAST_ALL;
    /* The clock may have been set back. */
    one->next_at = Min(one->next_at, now + interval);
    one->saved_at = Min(one->saved_at, now);
    if (now < one->next_at)
        return one->next_at;
    (void)lockstep_do_work(one->take);
    one->next_at += interval;
    if (one->next_at <= now)
        one->next_at = now + interval;
    if (one->save != NULL && now - one->saved_at >= SAVE_EVERY) {
        (void)lockstep_do_work(one->save);
        one->saved_at = now;
    }
    return one->next_at;
}

static long serve_all(void) {
    TimestampTz due = PAST_ALL;

    for (sampler_subscriber *one = first; one != NULL; one = one->next)
        due = Min(due, serve(one));
    return due == PAST_ALL ? -1L : TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due);
}

/* It reads shared memory alone: no database, and on a standby as well. */
static const worker_kind sampler = {
    .name = "lockstep sampler",
    .library = "lockstep",
    .main = "lockstep_sampler_main",
    .starts = BgWorkerStart_ConsistentState,
    .restart_s = 60,
    .round = serve_all,
};

LOCKSTEP_EXPORT void lockstep_sampler_main(Datum arg);

void lockstep_sampler_main(Datum arg pg_attribute_unused()) {
    lockstep_run_worker(&sampler);
}

void lockstep_subscribe_to_sampler(sampler_subscriber *subscriber) {
    if (!process_shared_preload_libraries_in_progress)
        return;
    if (first == NULL)
        lockstep_add_worker(&sampler);
    subscriber->interval_before = -1;
    subscriber->next = NULL;
    *end = subscriber;
    end = &subscriber->next;
}
