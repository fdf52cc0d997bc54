/*
 * The background worker that looks at the server again and again: every lockstep.sample_interval it
 * calls each sampler. There is one only where the module was preloaded.
 */
#ifndef LOCKSTEP_SAMPLER_WORKER_H
#define LOCKSTEP_SAMPLER_WORKER_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct sampler {
    const char *name;   /* for messages */
    void (*take)(void); /* one sample; what it allocates is freed afterwards */
    void (*save)(void); /* keeps them for after a crash, once an hour; may be NULL */
} sampler;

/* One more sampler; while the server starts. It must live as long as the server. */
void lockstep_add_sampler(const sampler *one);

/* Defines the setting, and has the server start the worker. */
void lockstep_install_worker(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
