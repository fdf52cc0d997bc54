/*
 * The queue of CALL submit: calls of many sessions in shared memory, and who carries them out. A
 * call whose rows nobody else in the queue works on leads at once. Any other waits, until whoever
 * works on its rows has ended his transaction and makes one of those who wait the next leader; that
 * one takes all that wait and meet nobody else's rows.
 *
 * tests/model/submit.pml is the model of this; what is one step there is done under the queue's
 * lock here. The hand-over is tied to the end of the leader's transaction, however it ends: then
 * the followers are told what was written down for them, or that they have to look for themselves.
 *
 * Rows are known by hashes here. Two rows with one hash only wait for each other; one row with two
 * hashes is met where it is locked.
 */
#ifndef LOCKSTEP_SUBMIT_QUEUE_H
#define LOCKSTEP_SUBMIT_QUEUE_H

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
    uint8_t status; /* movement_status */
    char sqlstate[6];
    int64_t booked_at;
    submit_numeric amount;
    submit_numeric from_balance;
    submit_numeric to_balance;
    char message[256]; /* of an error */
    char detail[512];
    char hint[256];
} submit_answer;

typedef enum submit_turn { SUBMIT_LEADS, SUBMIT_WAITS, SUBMIT_QUEUE_FULL } submit_turn;

/* When the module is loaded; preloaded, asks for the memory as well. */
void lockstep_install_submit_queue(void);

/* Whether there is a queue at all. */
bool lockstep_has_submit_queue(void);

/* Whether this session holds locks that outlive transactions: such a one must not wait here. */
bool lockstep_holds_session_locks(void);

/*
 * Into the queue, where this session has no call yet. Who leads works in the transaction that he is
 * in, for himself; who waits must leave his.
 */
submit_turn lockstep_submit_join(const submit_call *call);

/*
 * Waits until this session's call was carried out (true: the answer is copied, and the call is out
 * of the queue), or until it leads (false). Raises for a cancel, a timeout or the end of the
 * session, with the call still in the queue.
 */
bool lockstep_submit_wait(submit_answer *answer);

/*
 * For who has come to lead by waiting, in his transaction: takes the calls that go with his own and
 * are in nobody's way. Returns how many; they are numbers from 0 on.
 */
int lockstep_submit_take(void);
const submit_call *lockstep_submit_taken(int number);

/* What that follower is told if the transaction commits; to be filled in before. */
submit_answer *lockstep_submit_answer_of(int number);

/* The group has come to nothing: so the followers are told when the transaction is rolled back. */
void lockstep_submit_fault(void);

/*
 * Takes this session's call out of the queue, in whatever state, where it is still in it. Raises
 * nothing, as the one below.
 */
void lockstep_submit_leave(void);

/* The same, but that who leads in a transaction leaves when that ends. */
void lockstep_submit_abandon(void);

/*
 * Who waits for whom just now, by pid. Each who waits stands with who leads: with who has taken his
 * call, works on one of his rows or will take it. Who is kept by none of these stands behind one
 * who waits himself. Never in a ring. Takes the queue's lock, shared, and raises nothing. Returns
 * how many pairs were written, `room` at most.
 */
typedef struct submit_edge {
    int32_t follower;
    int32_t leader;
} submit_edge;
int lockstep_submit_edges(submit_edge *to, int room);

/* How many calls there can be. */
int lockstep_submit_places(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
