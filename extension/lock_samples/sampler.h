/*
 * When the lock manager is looked at: every lockstep.lock_sample_interval, by the sampler; once an
 * hour what was seen is kept for after a crash.
 */
#ifndef LOCKSTEP_LOCK_SAMPLES_SAMPLER_H
#define LOCKSTEP_LOCK_SAMPLES_SAMPLER_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defines the settings, and subscribes. `take` takes one sample; it may raise an error. */
void lockstep_install_lock_sampler(void (*take)(void));

/* How long a wait must have lasted to be kept, in microseconds. */
int64_t lockstep_shortest_kept_wait(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
