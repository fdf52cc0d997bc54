/*
 * A call of CALL submit and its answer, as they stand in shared memory: nothing but bytes.
 */
#ifndef LOCKSTEP_SUBMIT_CALL_H
#define LOCKSTEP_SUBMIT_CALL_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls that one session may carry out for another. Compared bytewise: there is no padding. */
typedef struct submit_group {
    uint32_t database;
    uint32_t ledger;
    uint32_t role;
    uint32_t session_role;
    uint64_t settings; /* a hash of those that what is done depends on */
    uint64_t shape;    /* a hash of what keys and amounts are made of */
} submit_group;

#define LOCKSTEP_SUBMIT_KEY_BYTES 128
#define LOCKSTEP_SUBMIT_MEMO_BYTES 512
#define LOCKSTEP_SUBMIT_NUMERIC_BYTES 64

/* A value as it stands in memory; length -1: null. */
typedef struct submit_key {
    int16_t length;
    char bytes[LOCKSTEP_SUBMIT_KEY_BYTES];
} submit_key;

typedef struct submit_numeric {
    int16_t length;
    char bytes[LOCKSTEP_SUBMIT_NUMERIC_BYTES];
} submit_numeric;

typedef struct submit_call {
    submit_group group;
    uint32_t rows[2]; /* hashes of the rows; 0: none */
    uint8_t request_id[16];
    int64_t amount; /* times 10^scale */
    int32_t scale;
    bool return_refusals;
    bool at_most;
    int16_t memo_length; /* -1: null */
    submit_key from;
    submit_key to;
    char memo[LOCKSTEP_SUBMIT_MEMO_BYTES];
} submit_call;

typedef enum submit_fate {
    SUBMIT_ANSWERED,
    SUBMIT_REFUSED, /* an error of the call's own; nothing was done */
    SUBMIT_BUSY,    /* what it needs is in an outsider's hands; nothing was done */
    SUBMIT_FAULT,   /* the group came to nothing */
    SUBMIT_NOT_TOLD /* the leader is gone: it may have been done */
} submit_fate;

typedef struct submit_answer {
    submit_fate fate;
    int32_t group_size;
    bool standbys_may_lack_it; /* the leader went on before they had its commit */
    uint8_t status;            /* movement_status */
    char sqlstate[6];
    int64_t booked_at;
    submit_numeric amount;
    submit_numeric from_balance;
    submit_numeric to_balance;
    char message[256]; /* of an error */
    char detail[512];
    char hint[256];
} submit_answer;

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
