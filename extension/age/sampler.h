/*
 * When samples are taken for the history of ages: every lockstep.sample_interval, by the sampler;
 * once an hour the history is kept for after a crash.
 */
#ifndef LOCKSTEP_AGE_SAMPLER_H
#define LOCKSTEP_AGE_SAMPLER_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

/* Defines the setting, and subscribes. `take` takes one sample; it may raise an error. */
void lockstep_install_age_sampler(void (*take)(void));

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
