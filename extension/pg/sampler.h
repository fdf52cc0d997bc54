/*
 * The background worker that looks at the server again and again, "lockstep sampler": one process
 * for any number of subscribers. Each takes its samples at an interval of its own, and once an hour
 * it keeps what it has for after a crash. There is one only where the module was preloaded.
 */
#ifndef LOCKSTEP_PG_SAMPLER_H
#define LOCKSTEP_PG_SAMPLER_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct sampler_subscriber {
    /* Milliseconds between two samples, by the settings as they are now; 0 takes none. */
    int64 (*interval)(void);
    /* Takes one sample; and saves what there is, after a sample, an hour after the last time. Both
     * may raise an error: it is reported, and the next round tries again. What they allocate is
     * freed afterwards. */
    void (*take)(void);
    void (*save)(void); /* may be NULL */
    /* The service's own. */
    int64 interval_before;
    TimestampTz next_at;
    TimestampTz saved_at;
    struct sampler_subscriber *next;
} sampler_subscriber;

/* From _PG_init, once each; does nothing where a session loads the module. It must live on. */
void lockstep_subscribe_to_sampler(sampler_subscriber *subscriber);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
