/*
 * The background worker that looks at the server again and again: every lockstep.sample_interval it
 * takes a sample for the history of ages, and once an hour it keeps the history for after a crash.
 */
#ifndef LOCKSTEP_AGE_SAMPLER_H
#define LOCKSTEP_AGE_SAMPLER_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

/*
 * Defines the setting, and has the server start the worker. `take` takes one sample; it may raise
 * an error, and what it allocates is freed afterwards.
 */
void lockstep_install_sampler(void (*take)(void));

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
