/*
 * How many movements of each ledger were applied, replayed and refused, by transactions that have
 * committed. Counted in the session's own memory and added to shared memory at the commit, so there
 * is nothing to see where the module was not preloaded; to count is then to do nothing.
 */
#ifndef LOCKSTEP_LEDGER_LEDGER_COUNTERS_H
#define LOCKSTEP_LEDGER_LEDGER_COUNTERS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ledger_counts {
    int64_t applied;
    int64_t replayed;
    int64_t refused; /* refusals that were kept: what is raised rolls back */
    int64_t batches; /* calls of transfer_batch */
    int64_t items;   /* of these */
} ledger_counts;

/* When the module is loaded; preloaded, asks for the memory as well. */
void lockstep_install_ledger_counters(void);

/* Whether anything is counted. */
bool lockstep_has_ledger_counters(void);

/* Counts for a ledger of this database, if the transaction commits. */
void lockstep_count_movements(uint32_t ledger, const ledger_counts *counts);

typedef struct ledger_count {
    uint32_t ledger; /* 0: several, also of other databases, for which there was no room */
    int64_t since;   /* the first of them was counted; microseconds since 2000-01-01 */
    ledger_counts counts;
} ledger_count;

/* One for each ledger of this database, in no order, in the current memory context. */
int32_t lockstep_copy_ledger_counts(ledger_count **to);

/* Why a call of submit was done by its own session alone. */
typedef enum submit_alone {
    SUBMIT_MET_NOBODY,
    SUBMIT_ALONE_BUSY,  /* an outsider had the row or the id */
    SUBMIT_ALONE_FAULT, /* its group came to nothing */
    SUBMIT_ALONE_LOST,  /* its leader was lost */
    SUBMIT_ALONE_QUEUE_FULL,
    SUBMIT_ALONE_TOO_LARGE,
    SUBMIT_ALONE_UNSERVED, /* the ledger has no groups, or the session must not wait */
    SUBMIT_ALONE_REASONS
} submit_alone;

#define LOCKSTEP_SUBMIT_SIZES 6 /* 2 or 3, 4 to 7, ... 64 and more */

typedef struct submit_counts {
    int64_t calls;
    int64_t grouped; /* of these */
    int64_t groups;
    int64_t sizes[LOCKSTEP_SUBMIT_SIZES]; /* groups, by how many calls they had */
    int64_t alone[SUBMIT_ALONE_REASONS];  /* calls; of those that met nobody none */
} submit_counts;

/* Counts a call that was answered, or a group of more than one; at once, after the commit. */
void lockstep_count_submit(uint32_t ledger, int32_t group_size, submit_alone why);
void lockstep_count_submit_group(uint32_t ledger, int32_t group_size);

typedef struct submit_count {
    uint32_t ledger; /* 0: as above */
    submit_counts counts;
} submit_count;

/* As above, without ledgers that have none. */
int32_t lockstep_copy_submit_counts(submit_count **to);

/* Begins at nothing, for all databases. */
void lockstep_clear_ledger_counters(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
