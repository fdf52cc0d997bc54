/*
 * How far a call is, where every session can read it: among what the server keeps of each session
 * for pg_stat_progress_*, under a command of our own. So it needs no memory of ours, and no
 * preload. Of one session at a time; the server forgets it when a (sub)transaction is rolled back,
 * and it is then told anew.
 */
#ifndef LOCKSTEP_CHUNKS_PROGRESS_H
#define LOCKSTEP_CHUNKS_PROGRESS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum chunk_phase {
    CHUNK_NOT_TOLD, /* what the server has between the beginning of a command and its first figures
                     */
    CHUNK_SORTING,
    CHUNK_LOCKING,
    CHUNK_RUNNING,
    CHUNK_PAUSING,
} chunk_phase;

typedef struct chunk_progress {
    uint32_t relation;
    chunk_phase phase;
    int64_t keys_total;
    int64_t keys_skipped; /* of these, done by earlier calls of the same run */
    int64_t keys_done;    /* with those that were skipped */
    int64_t chunks;
    int64_t rows;
    int64_t attempts;
    int64_t missing;
    int64_t started_at; /* microseconds since 2000-01-01 */
} chunk_progress;

/* Raise nothing. */
void lockstep_tell_chunk_progress(const chunk_progress *progress);
void lockstep_end_chunk_progress(void);

struct PgBackendStatus;

/* What a session has told, where that is a call of this kind. */
bool lockstep_read_chunk_progress(const struct PgBackendStatus *status, chunk_progress *to);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
