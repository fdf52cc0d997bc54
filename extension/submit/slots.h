/*
 * The places of the queue of CALL submit, in shared memory, and their two lists: those who wait, in
 * the order of their coming, and those at work. Everything is read and written under the queue's
 * lock, but the state of a call by its own session and, once that is TOLD, its answer.
 */
#ifndef LOCKSTEP_SUBMIT_SLOTS_H
#define LOCKSTEP_SUBMIT_SLOTS_H

#include "pg/version.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#include "submit/call.h"

#define NONE (-1)

/* The names of the model's states. */
typedef enum slot_state {
    FREE,
    WAITING, /* in the list of those who wait; all others but FREE and TOLD are at work */
    LEADS,
    TAKEN,
    LEFT, /* taken, and its caller has gone */
    TOLD  /* the answer is there; the slot is its caller's, to read and to free */
} slot_state;

/* What is looked at of many slots is small, and stands together. */
typedef struct slot_head {
    pg_atomic_uint32 state; /* changed under the lock, but by whom it is TOLD to */
    int32 owner;            /* number in the table of processes */
    int32 leader;           /* of TAKEN and LEFT: the slot of who has taken it */
    int32 next;             /* in its list */
    int32 before;
    uint32 rows[2];
    bool is_heir;           /* of LEADS: it has not taken yet */
    TimestampTz wait_start; /* of who waits or has waited */
} slot_head;

typedef struct slot_body {
    submit_call call; /* not of who leads at once */
    submit_answer answer;
} slot_body;

typedef struct slot_list {
    int32 first;
    int32 last;
} slot_list;

typedef struct shared_queue {
    slot_list waiting; /* in the order of their coming */
    slot_list at_work;
    slot_head heads[FLEXIBLE_ARRAY_MEMBER]; /* and behind them the bodies */
} shared_queue;

/* Null where lockstep was not preloaded. */
extern shared_queue *lockstep_submit_queue;
extern slot_body *lockstep_submit_bodies;
extern LWLock *lockstep_submit_lock;
extern int lockstep_submit_queue_size;

static inline slot_head *head_of(int32 slot) {
    return &lockstep_submit_queue->heads[slot];
}

static inline submit_call *call_of(int32 slot) {
    return &lockstep_submit_bodies[slot].call;
}

static inline submit_answer *answer_of(int32 slot) {
    return &lockstep_submit_bodies[slot].answer;
}

static inline slot_state state_of(int32 slot) {
    return (slot_state)pg_atomic_read_u32(&head_of(slot)->state);
}

static inline void set_state(int32 slot, slot_state state) {
    pg_atomic_write_u32(&head_of(slot)->state, state);
}

/* At the end of a list; out of it. */
void lockstep_submit_append(slot_list *list, int32 slot);
void lockstep_submit_take_out(slot_list *list, int32 slot);

/* A free slot; the one that the session had last, if it is. NONE where there is none. */
int32 lockstep_submit_find_free(void);

/* Defines the size of the queue, and asks for its memory where the module is preloaded. */
void lockstep_install_submit_slots(void);

#endif
