/*
 * One deadlock as it was found: plain numbers and texts of a fixed size, for the ring in shared
 * memory and for its file. Names are looked up when it is read.
 */
#ifndef LOCKSTEP_DEADLOCKS_RECORD_H
#define LOCKSTEP_DEADLOCKS_RECORD_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "lock_graph/wait_context.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who is in the cycle, and behind them who stood behind these. */
#define LOCKSTEP_DEADLOCK_SESSIONS 24
#define LOCKSTEP_DEADLOCK_MEMBERS 16
#define LOCKSTEP_DEADLOCK_TEXT 512

/* A lock's tag. */
typedef struct deadlock_lock {
    uint32_t field1, field2, field3;
    uint16_t field4;
    uint8_t type;
    uint8_t method; /* 0: it was not understood */
} deadlock_lock;

typedef struct deadlock_session {
    int32_t pid;
    int32_t leader_pid; /* of its lock group; its own where it is alone */
    int32_t vxid_slot;
    uint32_t vxid_local; /* 0: not known */
    uint32_t xid;        /* 0: none */
    uint32_t database;
    uint32_t role;
    int32_t blocker_pid;   /* for whom it waited; 0: not known */
    int32_t mode;          /* what it wanted */
    uint32_t blocker_held; /* what that one had of the lock, a mask of modes; 0: its turn alone */
    deadlock_lock lock;
    /* The row that it wanted, where its place in the row's line tells. */
    uint32_t row_database;
    uint32_t row_relation; /* 0: none */
    uint32_t row_block;
    uint16_t row_offset;
    int32_t row_mode;
    int64_t wait_started; /* microseconds since 2000-01-01; 0: not known, or it had not to wait */
    int64_t transaction_started; /* 0: not known */
    int64_t query_id;            /* 0: none */
    char application[64];
    char query[LOCKSTEP_DEADLOCK_TEXT];
} deadlock_session;

typedef enum deadlock_finder {
    DEADLOCK_FOUND_BY_TIMEOUT,   /* deadlock_timeout had passed */
    DEADLOCK_FOUND_IMMEDIATELY,  /* the look at the lock's queue before a wait */
    DEADLOCK_RESOLVED_BY_REORDER /* a queue was put into another order: nobody was a victim */
} deadlock_finder;

/* What became of the victim's error. */
typedef enum deadlock_fate {
    DEADLOCK_FATE_UNKNOWN, /* not yet decided, or the session was killed */
    DEADLOCK_ABORTED,      /* it ended the transaction */
    DEADLOCK_TRAPPED,      /* a block with EXCEPTION went on */
    DEADLOCK_SAVEPOINT,    /* the client was told, and went back to a savepoint */
    DEADLOCK_RETRIED       /* CALL lockstep.retry rolled back, and tried again */
} deadlock_fate;
#define LOCKSTEP_DEADLOCK_FATES 5

typedef struct deadlock_record {
    int64_t id; /* from 1 on */
    int64_t detected_at;
    uint64_t next_xid; /* what has a later one, has come later */
    uint32_t database; /* the victim's */
    int32_t timeout_ms;
    int32_t
        members; /* sessions[0] is the victim, who waited for sessions[1], and so on in a ring */
    int32_t bystanders; /* behind the members */
    int32_t left_off;   /* members and bystanders that found no room, at least */
    int32_t found_by;   /* deadlock_finder */
    int32_t fate;       /* deadlock_fate */
    wait_context said;  /* the victim's row by its context; no relation: that told none */
    char context[LOCKSTEP_DEADLOCK_TEXT]; /* of the victim's error; lines, the innermost first */
    deadlock_session sessions[LOCKSTEP_DEADLOCK_SESSIONS];
} deadlock_record;

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
