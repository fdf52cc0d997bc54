#include "pg/version.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "utils/elog.h"
#include "utils/timestamp.h"

#include "lock_graph/wait_context.h"
#include "pg/error_reports.h"
#include "pg/shared_memory.h"

/*
 * One entry a process, written by that process alone, and without any lock: `changes` is odd while
 * it writes, and a reader that sees it change reads nothing.
 */
typedef struct kept_context {
    pg_atomic_uint32 changes;
    uint32_t vxid_local;
    int64_t said_at;
    wait_context said;
} kept_context;

static kept_context *contexts = NULL;

static Size room_for_contexts(void) {
    return mul_size(sizeof(kept_context), MaxBackends);
}

/*
 * Reads "... (block,offset) ... "relation"" of the context's line on the row: the first one, behind
 * what the server says of the lock. Translations have their own words, but these two; where they
 * quote names in another way nothing is read.
 */
bool lockstep_read_wait_context(const char *text, wait_context *to) {
    const char *end;
    const char *quote;
    const char *close;
    unsigned int block;
    unsigned int offset;

    for (int line = 0; line < LOCKSTEP_LINES_ON_THE_LOCK; ++line) {
        text = strchr(text, '\n');
        if (text == NULL)
            return false;
        ++text;
    }
    end = strchr(text, '\n');
    if (end == NULL)
        end = text + strlen(text);
    for (const char *at = strchr(text, '('); at != NULL && at < end; at = strchr(at + 1, '(')) {
        if (sscanf(at, "(%u,%u)", &block, &offset) != 2)
            continue;
        quote = strchr(at, '"');
        if (quote == NULL || quote >= end)
            return false;
        /* A name may have quotes in it; the last one ends it. */
        for (close = end; close > quote && *close != '"'; --close)
            ;
        if (close == quote || close - quote - 1 >= (int)sizeof(to->relation))
            return false;
        to->block = block;
        to->offset = (uint16_t)offset;
        memcpy(to->relation, quote + 1, close - quote - 1);
        to->relation[close - quote - 1] = '\0';
        return true;
    }
    return false;
}

/* Runs for every message that goes to the log, so it looks at the cheapest first. */
static void keep_context(const ErrorData *report) {
    if (report->elevel == LOG && contexts != NULL && MyProc != NULL && report->context != NULL &&
        report->funcname != NULL && strcmp(report->funcname, "ProcSleep") == 0) {
        const int32 slot = (int32)(MyProc - ProcGlobal->allProcs);
        wait_context said;

        memset(&said, 0, sizeof(said));
        if (slot < MaxBackends && lockstep_read_wait_context(report->context, &said)) {
            kept_context *const own = &contexts[slot];
            const uint32 changes = pg_atomic_read_u32(&own->changes);

            pg_atomic_write_u32(&own->changes, changes + 1);
            pg_write_barrier();
            own->vxid_local = LOCKSTEP_VXID_LOCAL(MyProc);
            own->said_at = GetCurrentTimestamp();
            own->said = said;
            pg_write_barrier();
            pg_atomic_write_u32(&own->changes, changes + 2);
        }
    }
}

static void set_up(void *memory, LWLock *lock pg_attribute_unused(), bool found) {
    contexts = memory;
    if (!found) {
        memset(contexts, 0, room_for_contexts());
        for (int slot = 0; slot < MaxBackends; ++slot)
            pg_atomic_init_u32(&contexts[slot].changes, 0);
    }
}

static shared_part contexts_part = {
    .name = "lockstep wait contexts",
    .room = room_for_contexts,
    .set_up = set_up,
};

static error_report_subscriber waits = {.reported = keep_context};

void lockstep_install_wait_contexts(void) {
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_add_shared_part(&contexts_part);
    lockstep_subscribe_to_error_reports(&waits);
}

bool lockstep_wait_context_of(int32_t slot, uint32_t vxid_local, int64_t wait_started,
                              wait_context *to) {
    kept_context copy;
    uint32 before;

    if (contexts == NULL || slot < 0 || slot >= MaxBackends)
        return false;
    before = pg_atomic_read_u32(&contexts[slot].changes);
    pg_read_barrier();
    copy = contexts[slot];
    pg_read_barrier();
    if (before % 2 != 0 || pg_atomic_read_u32(&contexts[slot].changes) != before)
        return false;
    if (before == 0 || copy.vxid_local != vxid_local || wait_started == 0 ||
        copy.said_at < wait_started)
        return false;
    *to = copy.said;
    return true;
}
