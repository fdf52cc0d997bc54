#include "postgres.h"

#include "utils/backend_progress.h"
#include "utils/backend_status.h"

#include "chunks/progress.h"

/* No command of the server's has such a number, and pg_stat_progress_* pass over it. */
#define COMMAND ((ProgressCommandType)0x4c53)

enum { PHASE, TOTAL, SKIPPED, DONE, CHUNKS, ROWS, ATTEMPTS, MISSING, STARTED_AT, FIGURES };

void lockstep_tell_chunk_progress(const chunk_progress *progress) {
    static const int places[FIGURES] = {PHASE, TOTAL,    SKIPPED, DONE,      CHUNKS,
                                        ROWS,  ATTEMPTS, MISSING, STARTED_AT};
    const int64 figures[FIGURES] = {
        [PHASE] = progress->phase,           [TOTAL] = progress->keys_total,
        [SKIPPED] = progress->keys_skipped,  [DONE] = progress->keys_done,
        [CHUNKS] = progress->chunks,         [ROWS] = progress->rows,
        [ATTEMPTS] = progress->attempts,     [MISSING] = progress->missing,
        [STARTED_AT] = progress->started_at,
    };

    if (MyBEEntry == NULL)
        return;
    if (MyBEEntry->st_progress_command != COMMAND ||
        MyBEEntry->st_progress_command_target != progress->relation)
        pgstat_progress_start_command(COMMAND, progress->relation);
    pgstat_progress_update_multi_param(FIGURES, places, figures);
}

void lockstep_end_chunk_progress(void) {
    pgstat_progress_end_command();
}

bool lockstep_read_chunk_progress(const PgBackendStatus *status, chunk_progress *to) {
    const int64 *const figures = status->st_progress_param;

    if (status->st_progress_command != COMMAND || figures[PHASE] == CHUNK_NOT_TOLD)
        return false;
    to->relation = status->st_progress_command_target;
    to->phase = (chunk_phase)figures[PHASE];
    to->keys_total = figures[TOTAL];
    to->keys_skipped = figures[SKIPPED];
    to->keys_done = figures[DONE];
    to->chunks = figures[CHUNKS];
    to->rows = figures[ROWS];
    to->attempts = figures[ATTEMPTS];
    to->missing = figures[MISSING];
    to->started_at = figures[STARTED_AT];
    return true;
}
