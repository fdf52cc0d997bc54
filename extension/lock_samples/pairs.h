/*
 * What waiting transactions held and wanted, by relation and mode, counted in shared memory, and in
 * a file from one start of the server to the next. There is room for so many pairs; the one that
 * was not seen for longest gives way. Only where the module was preloaded.
 */
#ifndef LOCKSTEP_LOCK_SAMPLES_PAIRS_H
#define LOCKSTEP_LOCK_SAMPLES_PAIRS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "lock_samples/waits.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LOCKSTEP_MOST_PAIRS 2000

typedef struct sampled_pair {
    /* Which one it is. */
    uint32_t database;
    uint32_t held;       /* relation */
    uint32_t held_modes; /* mask */
    uint32_t wanted;     /* relation */
    int32_t wanted_mode; /* of a row: the mode that stands for its strength */
    uint32_t wants_row;

    int64_t samples; /* in which it was seen */
    int64_t first_seen;
    int64_t last_seen;
    sampled_statement statement; /* of the last one who wanted that */
} sampled_pair;

/* How the pairs came to be here. */
typedef struct pairs_account {
    int64_t since;     /* microseconds since 2000-01-01 */
    int64_t forgotten; /* pairs that gave way */
} pairs_account;

/* When the server starts: asks for the memory and reads the file. */
void lockstep_install_pairs(void);

/* Counts the pairs of one sample, each of them there once. One at a time: the sampler does. */
void lockstep_count_pairs(const sampled_pair *seen, int32_t count);

/* All of them, in the current memory context. There must be such memory:
 * lockstep_has_wait_history().
 */
int32_t lockstep_copy_pairs(sampled_pair **to, pairs_account *account);

/* Forgets all. */
void lockstep_clear_pairs(void);

/* Writes the file, where there is anything new. */
void lockstep_save_pairs(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
