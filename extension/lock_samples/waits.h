/*
 * The waits for locks that the sampler has seen in the last hours, in a ring in shared memory, and
 * in a file from one start of the server to the next. There is one only where the module was
 * preloaded.
 */
#ifndef LOCKSTEP_LOCK_SAMPLES_WAITS_H
#define LOCKSTEP_LOCK_SAMPLES_WAITS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With its end. */
#define LOCKSTEP_SAMPLED_STATEMENT 256

/* A statement, and whose it is: that says who may see it. */
typedef struct sampled_statement {
    uint32_t role; /* 0: none is known */
    int32_t state; /* of the session, as the statistics have it */
    int64_t query_id;
    /* In the encoding of its database, and perhaps cut in the middle of a character. */
    char text[LOCKSTEP_SAMPLED_STATEMENT];
} sampled_statement;

typedef struct sampled_session {
    int32_t pid;         /* 0: none, or a prepared transaction */
    uint32_t xid;        /* 0: none */
    uint32_t role;       /* 0: none */
    uint8_t is_prepared; /* a prepared transaction */
    char application[64];
    int64_t transaction_started; /* microseconds since 2000-01-01; 0: not known */
    sampled_statement statement;
} sampled_session;

typedef struct sampled_wait {
    /* Which one it is. */
    int64_t started; /* microseconds since 2000-01-01 */
    int32_t slot;    /* of the waiter, in the table of processes */
    uint32_t vxid_local;

    int64_t last_seen;
    int64_t samples; /* in which it was seen */
    uint32_t database;
    int32_t mode;
    uint32_t field1, field2, field3; /* of the lock's tag */
    uint16_t field4;
    uint8_t type;
    uint8_t method;
    /* The row that is waited for. */
    uint32_t row_database;
    uint32_t row_relation; /* 0: not known */
    uint32_t row_block;
    uint16_t row_offset;

    sampled_session waiter;
    sampled_session blocker; /* for whom it waits itself */
    sampled_session root;    /* ... and who is at the head of all */
    int64_t root_votes;      /* the ring's own */
} sampled_wait;

/* When the server starts: asks for the memory and reads the file. */
void lockstep_install_wait_history(void);

bool lockstep_has_wait_history(void);

/*
 * Adds a wait, and the oldest gives way; or goes on with one that is known. Of those that were at
 * the head of one wait the one stays that was there in most samples. One at a time: the sampler
 * does.
 */
void lockstep_note_wait(const sampled_wait *seen);

/* All of them, the newest first, in the current memory context. */
int32_t lockstep_copy_wait_history(sampled_wait **to);

/* Forgets all. */
void lockstep_clear_wait_history(void);

/* Writes the file, where there is anything new. */
void lockstep_save_wait_history(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
