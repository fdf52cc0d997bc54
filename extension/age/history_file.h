/*
 * The file in which the history outlives the server. It is in the data folder, and read only if it
 * is whole and was written by this server in this folder.
 */
#ifndef LOCKSTEP_AGE_HISTORY_FILE_H
#define LOCKSTEP_AGE_HISTORY_FILE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "age/history.h"

#ifdef __cplusplus
extern "C" {
#endif

/* More are in no ring and in no file. */
#define LOCKSTEP_MOST_SAMPLES 100000

/*
 * The samples in the file, oldest first, in the current memory context; 0 where there is no file,
 * or none to be used, and then the log says why. Raises nothing.
 */
int32_t lockstep_read_history(age_sample **to);

/*
 * Writes two runs of samples, one after the other; either may be empty. Allocates nothing and
 * raises nothing: the postmaster calls it when it ends.
 */
void lockstep_write_history(const age_sample *first, int32_t firsts, const age_sample *second,
                            int32_t seconds);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
