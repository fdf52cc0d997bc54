#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "pg/shared_memory.h"
#include "pg/transaction_ends.h"
#include "submit/queue.h"

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
    bool is_heir; /* of LEADS: it has not taken yet */
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

static int queue_size = 256;
static shared_queue *queue = NULL;
static slot_body *bodies = NULL;
static LWLock *queue_lock = NULL;

/* This session's call, and what it leads. */
static int32 own = NONE;
static bool leading = false;
static bool at_fault = false;
static int32 *taken = NULL;
static int taken_count = 0;
/* Whose latches are to be set when the lock is released. */
static int32 *to_wake = NULL;
static int to_wake_count = 0;
/* Calls that have come earlier, while those who wait are gone through. */
static int32 *ahead = NULL;

static Size heads_size(void) {
    return MAXALIGN(
        add_size(offsetof(shared_queue, heads), mul_size(sizeof(slot_head), queue_size)));
}

static Size room(void) {
    return add_size(heads_size(), mul_size(sizeof(slot_body), queue_size));
}

static void set_up(void *memory, LWLock *lock, bool found) {
    queue = memory;
    bodies = (slot_body *)((char *)memory + heads_size());
    queue_lock = lock;
    if (found)
        return;
    memset(memory, 0, room());
    queue->waiting = queue->at_work = (slot_list){NONE, NONE};
    for (int i = 0; i < queue_size; ++i)
        pg_atomic_init_u32(&queue->heads[i].state, FREE);
}

static slot_state state_of(int32 slot) {
    return (slot_state)pg_atomic_read_u32(&queue->heads[slot].state);
}

static void set_state(int32 slot, slot_state state) {
    pg_atomic_write_u32(&queue->heads[slot].state, state);
}

static void append(slot_list *list, int32 slot) {
    slot_head *const head = &queue->heads[slot];

    head->next = NONE;
    head->before = list->last;
    if (list->last == NONE)
        list->first = slot;
    else
        queue->heads[list->last].next = slot;
    list->last = slot;
}

static void take_out(slot_list *list, int32 slot) {
    const slot_head *const head = &queue->heads[slot];

    if (head->before == NONE)
        list->first = head->next;
    else
        queue->heads[head->before].next = head->next;
    if (head->next == NONE)
        list->last = head->before;
    else
        queue->heads[head->next].before = head->before;
}

static bool is_one_group(int32 a, int32 b) {
    return memcmp(&bodies[a].call.group, &bodies[b].call.group, sizeof(submit_group)) == 0;
}

static bool has_row(const uint32 rows[2], uint32 row) {
    return row != 0 && (rows[0] == row || rows[1] == row);
}

static bool meet(const uint32 a[2], const uint32 b[2]) {
    return has_row(a, b[0]) || has_row(a, b[1]);
}

/* The first of a list that has one of these rows; NONE where there is none. */
static int32 first_with_rows(const slot_list *list, const uint32 rows[2]) {
    for (int32 slot = list->first; slot != NONE; slot = queue->heads[slot].next)
        if (meet(queue->heads[slot].rows, rows))
            return slot;
    return NONE;
}

/* The slot whose session works on this one at work. */
static int32 leader_of(int32 slot) {
    return state_of(slot) == LEADS ? slot : queue->heads[slot].leader;
}

/* The heir of this call's group, who has not taken yet. */
static int32 heir_of(int32 slot) {
    for (int32 one = queue->at_work.first; one != NONE; one = queue->heads[one].next)
        if (state_of(one) == LEADS && queue->heads[one].is_heir && is_one_group(one, slot))
            return one;
    return NONE;
}

/* Whether somebody is at work on one of its rows, who is not this leader. */
static bool is_kept_from(int32 slot, int32 leader) {
    for (int32 one = queue->at_work.first; one != NONE; one = queue->heads[one].next)
        if (leader_of(one) != leader && meet(queue->heads[one].rows, queue->heads[slot].rows))
            return true;
    return false;
}

static void wake(int32 slot) {
    to_wake[to_wake_count++] = queue->heads[slot].owner;
}

static void release_and_wake(void) {
    LWLockRelease(queue_lock);
    for (int i = 0; i < to_wake_count; ++i)
        SetLatch(&ProcGlobal->allProcs[to_wake[i]].procLatch);
    to_wake_count = 0;
}

/*
 * Makes leaders of those who wait and can go on now: one of each group, the first that has come.
 * Those who are kept from their rows keep these for themselves, so that nobody is passed over for
 * ever. Under the lock.
 */
static void pass_on(void) {
    int32 next;
    int kept = 0;     /* ahead[0 .. kept - 1] are kept from their rows */
    int promised = 0; /* ahead[size - promised ..] are for an heir to take */

    for (int32 slot = queue->waiting.first; slot != NONE; slot = next) {
        const int32 heir = heir_of(slot);
        bool behind = is_kept_from(slot, heir);

        next = queue->heads[slot].next;
        for (int i = 0; i < kept && !behind; ++i)
            behind = meet(queue->heads[ahead[i]].rows, queue->heads[slot].rows);
        for (int i = 0; i < promised && !behind; ++i) {
            const int32 other = ahead[queue_size - 1 - i];

            behind = meet(queue->heads[other].rows, queue->heads[slot].rows) &&
                     !is_one_group(other, slot);
        }
        if (behind) {
            ahead[kept++] = slot;
        } else if (heir != NONE) {
            ahead[queue_size - ++promised] = slot;
        } else {
            take_out(&queue->waiting, slot);
            append(&queue->at_work, slot);
            queue->heads[slot].is_heir = true;
            set_state(slot, LEADS);
            wake(slot);
        }
    }
}

static void free_slot(int32 slot) {
    take_out(&queue->at_work, slot);
    set_state(slot, FREE);
}

/* The leader has ended his transaction. */
static void end_of_group(bool committed) {
    LWLockAcquire(queue_lock, LW_EXCLUSIVE);
    for (int i = 0; i < taken_count; ++i) {
        const int32 slot = taken[i];

        if (state_of(slot) == LEFT) {
            free_slot(slot);
            continue;
        }
        if (!committed)
            bodies[slot].answer.fate = at_fault ? SUBMIT_FAULT : SUBMIT_NOT_TOLD;
        take_out(&queue->at_work, slot);
        wake(slot);
        /* From now on it is its caller's. */
        pg_write_barrier();
        set_state(slot, TOLD);
    }
    free_slot(own);
    pass_on();
    own = NONE;
    leading = at_fault = false;
    taken_count = 0;
    release_and_wake();
}

void lockstep_submit_leave(void) {
    if (own == NONE)
        return;
    if (leading) {
        end_of_group(false);
        return;
    }
    LWLockAcquire(queue_lock, LW_EXCLUSIVE);
    switch (state_of(own)) {
    case WAITING:
        take_out(&queue->waiting, own);
        set_state(own, FREE);
        /* Others may have stood behind it. */
        pass_on();
        break;
    case LEADS:
        free_slot(own);
        pass_on();
        break;
    case TAKEN: set_state(own, LEFT); break;
    case TOLD: set_state(own, FREE); break;
    case FREE:
    case LEFT: break;
    }
    own = NONE;
    release_and_wake();
}

void lockstep_submit_abandon(void) {
    if (!leading || !IsTransactionState())
        lockstep_submit_leave();
}

static void at_exit(int code pg_attribute_unused(), Datum argument pg_attribute_unused()) {
    lockstep_submit_leave();
}

static void at_end(XactEvent event) {
    if (leading && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT))
        end_of_group(event == XACT_EVENT_COMMIT);
}

bool lockstep_has_submit_queue(void) {
    return queue != NULL;
}

/* Outside of transactions nothing else is left of the session's locks than those. */
bool lockstep_holds_session_locks(void) {
    for (int i = 0; i < NUM_LOCK_PARTITIONS; ++i) {
        const lock_link *const ring = LOCKSTEP_PROCLOCKS_OF_PROCESS(MyProc, i);

        if (ring->next != NULL && ring->next != ring)
            return true;
    }
    return false;
}

static void prepare_session(void) {
    static bool is_prepared = false;

    if (is_prepared)
        return;
    taken = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * queue_size);
    /* Those who are told, and those who lead from then on. */
    to_wake = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * 2 * queue_size);
    ahead = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * queue_size);
    before_shmem_exit(at_exit, (Datum)0);
    is_prepared = true;
}

/* A free slot; the one that the session had last, if it is. */
static int32 find_free(void) {
    static int32 last = 0;

    for (int i = 0; i < queue_size; ++i) {
        const int32 slot = (last + i) % queue_size;

        if (state_of(slot) == FREE) {
            last = slot;
            return slot;
        }
    }
    return NONE;
}

submit_turn lockstep_submit_join(const submit_call *call) {
    slot_head *head;
    bool waits;

    prepare_session();
    Assert(own == NONE);
    LWLockAcquire(queue_lock, LW_EXCLUSIVE);
    own = find_free();
    if (own == NONE) {
        LWLockRelease(queue_lock);
        return SUBMIT_QUEUE_FULL;
    }
    head = &queue->heads[own];
    head->owner = (int32)(MyProc - ProcGlobal->allProcs);
    head->leader = NONE;
    head->rows[0] = call->rows[0];
    head->rows[1] = call->rows[1];
    head->is_heir = false;
    waits = first_with_rows(&queue->at_work, call->rows) != NONE ||
            first_with_rows(&queue->waiting, call->rows) != NONE;
    /* Its group is asked for in either case. */
    bodies[own].call.group = call->group;
    if (waits)
        bodies[own].call = *call;
    append(waits ? &queue->waiting : &queue->at_work, own);
    set_state(own, waits ? WAITING : LEADS);
    LWLockRelease(queue_lock);
    leading = !waits;
    taken_count = 0;
    at_fault = false;
    return waits ? SUBMIT_WAITS : SUBMIT_LEADS;
}

/* What pg_stat_activity shows of a wait. */
static uint32 wait_event_of(slot_state state) {
    static uint32 to_be_taken = 0;
    static uint32 to_be_told = 0;

    if (to_be_taken == 0) {
        to_be_taken = LOCKSTEP_EXTENSION_EVENT("LockstepSubmitQueue", 0x4c54);
        to_be_told = LOCKSTEP_EXTENSION_EVENT("LockstepSubmitGroup", 0x4c55);
    }
    return state == TAKEN ? to_be_told : to_be_taken;
}

bool lockstep_submit_wait(submit_answer *answer) {
    for (;;) {
        slot_state state;

        ResetLatch(MyLatch);
        state = state_of(own);
        if (state == LEADS) {
            leading = true;
            return false;
        }
        if (state == TOLD) {
            pg_read_barrier();
            *answer = bodies[own].answer;
            pg_memory_barrier();
            set_state(own, FREE);
            own = NONE;
            return true;
        }
        CHECK_FOR_INTERRUPTS();
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, wait_event_of(state));
    }
}

int lockstep_submit_take(void) {
    int32 next;
    int kept = 0;

    Assert(leading && taken_count == 0);
    LWLockAcquire(queue_lock, LW_EXCLUSIVE);
    for (int32 slot = queue->waiting.first; slot != NONE; slot = next) {
        bool behind = !is_one_group(slot, own) || is_kept_from(slot, own);

        next = queue->heads[slot].next;
        for (int i = 0; i < kept && !behind; ++i)
            behind = meet(queue->heads[ahead[i]].rows, queue->heads[slot].rows);
        if (behind) {
            ahead[kept++] = slot;
            continue;
        }
        take_out(&queue->waiting, slot);
        append(&queue->at_work, slot);
        queue->heads[slot].leader = own;
        set_state(slot, TAKEN);
        /* Until it is told otherwise. */
        bodies[slot].answer.fate = SUBMIT_NOT_TOLD;
        taken[taken_count++] = slot;
    }
    queue->heads[own].is_heir = false;
    /* Those who were to be taken by this one, and cannot, may go on by others. */
    pass_on();
    release_and_wake();
    return taken_count;
}

const submit_call *lockstep_submit_taken(int number) {
    return &bodies[taken[number]].call;
}

submit_answer *lockstep_submit_answer_of(int number) {
    return &bodies[taken[number]].answer;
}

void lockstep_submit_fault(void) {
    at_fault = true;
}

int lockstep_submit_places(void) {
    return queue_size;
}

static int32 pid_of(int32 slot) {
    return ProcGlobal->allProcs[queue->heads[slot].owner].pid;
}

int lockstep_submit_edges(submit_edge *to, int room_for) {
    int count = 0;

    if (queue == NULL)
        return 0;
    LWLockAcquire(queue_lock, LW_SHARED);
    for (int32 slot = queue->at_work.first; slot != NONE && count < room_for;
         slot = queue->heads[slot].next)
        if (state_of(slot) == TAKEN)
            to[count++] = (submit_edge){pid_of(slot), pid_of(queue->heads[slot].leader)};
    for (int32 slot = queue->waiting.first; slot != NONE && count < room_for;
         slot = queue->heads[slot].next) {
        const uint32 *const rows = queue->heads[slot].rows;
        int32 other = first_with_rows(&queue->at_work, rows);

        if (other == NONE)
            other = heir_of(slot);
        other = other == NONE ? first_with_rows(&queue->waiting, rows) : leader_of(other);
        if (other != slot) /* it is not the first of them itself */
            to[count++] = (submit_edge){pid_of(slot), pid_of(other)};
    }
    LWLockRelease(queue_lock);
    return count;
}

static shared_part part = {
    .name = "lockstep submit queue",
    .room = room,
    .tranche = "lockstep_submit_queue",
    .set_up = set_up,
};

static transaction_subscriber ends = {.transaction = at_end};

void lockstep_install_submit_queue(void) {
    DefineCustomIntVariable("lockstep.submit_queue_size",
                            "Calls of lockstep.submit that can be under way at the same time.",
                            "Others do their work by themselves. Needs lockstep in "
                            "shared_preload_libraries.",
                            &queue_size, 256, 1, 10000,
                            process_shared_preload_libraries_in_progress ? PGC_POSTMASTER
                                                                         : PGC_SIGHUP,
                            0, NULL, NULL, NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    lockstep_add_shared_part(&part);
    lockstep_subscribe_to_transaction_ends(&ends);
}
