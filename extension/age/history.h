/*
 * The samples of the last days, in a ring in shared memory, and in a file from one start of the
 * server to the next. There is one only where the module was preloaded.
 */
#ifndef LOCKSTEP_AGE_HISTORY_H
#define LOCKSTEP_AGE_HISTORY_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As many as there are kinds of holders; horizon_holder.hpp numbers them. */
#define LOCKSTEP_HOLDER_KINDS 17

typedef struct age_sample {
    int64_t taken_at; /* microseconds since 2000-01-01 */
    uint64_t next_xid;
    uint32_t next_multi;
    uint32_t oldest_multi;
    uint32_t oldest_xid; /* smallest datfrozenxid */
    uint32_t oldest_database;
    uint32_t oldest[LOCKSTEP_HOLDER_KINDS]; /* by kind: the oldest held; 0: there was none */
    /* Who held the most rows or catalogs of all. */
    uint32_t top_oldest; /* 0: nobody */
    int32_t top_kind;
    int32_t top_pid;
    uint32_t top_database;
    uint32_t top_role;
    int64_t top_since; /* its transaction's start; 0: not known */
    char top_name[64]; /* application_name, or the slot's name */
} age_sample;

/* When the server starts: asks for the memory and reads the file. */
void lockstep_install_history(void);

/* Whether there is a ring. */
bool lockstep_has_history(void);

/* Adds a sample; the oldest one gives way. One at a time: the sampler does. */
void lockstep_add_sample(const age_sample *sample);

/* All samples, oldest first, in the current memory context. */
int32_t lockstep_copy_history(age_sample **to);

/*
 * When the transaction id had been assigned for sure: the first sample that is ahead of it. 0 where
 * no sample is.
 */
int64_t lockstep_seen_at(uint64_t xid);

/* The first sample at the time or after it; false where there is none. */
bool lockstep_sample_since(int64_t at, age_sample *to);

/* Writes the file. It is read when the server starts. */
void lockstep_save_history(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
