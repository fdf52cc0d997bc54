#include "pg/version.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "pg/standby_wait.h"
#include "pg/transaction_ends.h"
#include "submit/queue.h"
#include "submit/slots.h"
#include "submit/turns.h"

/* This session's call, and what it leads. */
static int32 own = NONE;
static bool leading = false;
static bool at_fault = false;
static int32 *taken = NULL;
static int taken_count = 0;
/* Whose latches are to be set when the lock is released. */
static int32 *to_wake = NULL;
static int to_wake_count = 0;

static void wake(int32 slot) {
    to_wake[to_wake_count++] = head_of(slot)->owner;
}

static void release_and_wake(void) {
    LWLockRelease(lockstep_submit_lock);
    for (int i = 0; i < to_wake_count; ++i)
        SetLatch(&ProcGlobal->allProcs[to_wake[i]].procLatch);
    to_wake_count = 0;
}

static void free_slot(int32 slot) {
    lockstep_submit_take_out(&lockstep_submit_queue->at_work, slot);
    set_state(slot, FREE);
}

/* The leader has ended his transaction. */
static void end_of_group(bool committed) {
    const bool standbys_may_lack_it =
        committed && taken_count > 0 && lockstep_standbys_may_lack_commit();

    LWLockAcquire(lockstep_submit_lock, LW_EXCLUSIVE);
    for (int i = 0; i < taken_count; ++i) {
        const int32 slot = taken[i];

        if (state_of(slot) == LEFT) {
            free_slot(slot);
            continue;
        }
        answer_of(slot)->standbys_may_lack_it = standbys_may_lack_it;
        if (!committed)
            answer_of(slot)->fate = at_fault ? SUBMIT_FAULT : SUBMIT_NOT_TOLD;
        lockstep_submit_take_out(&lockstep_submit_queue->at_work, slot);
        wake(slot);
        /* From now on it is its caller's. */
        pg_write_barrier();
        set_state(slot, TOLD);
    }
    free_slot(own);
    lockstep_submit_pass_on(wake);
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
    LWLockAcquire(lockstep_submit_lock, LW_EXCLUSIVE);
    switch (state_of(own)) {
    case WAITING:
        lockstep_submit_take_out(&lockstep_submit_queue->waiting, own);
        set_state(own, FREE);
        /* Others may have stood behind it. */
        lockstep_submit_pass_on(wake);
        break;
    case LEADS:
        free_slot(own);
        lockstep_submit_pass_on(wake);
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
    return lockstep_submit_queue != NULL;
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
    taken = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * lockstep_submit_queue_size);
    /* Those who are told, and those who lead from then on. */
    to_wake = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * 2 * lockstep_submit_queue_size);
    lockstep_submit_prepare_turns();
    before_shmem_exit(at_exit, (Datum)0);
    is_prepared = true;
}

submit_turn lockstep_submit_join(const submit_call *call) {
    slot_head *head;
    bool waits;

    prepare_session();
    Assert(own == NONE);
    LWLockAcquire(lockstep_submit_lock, LW_EXCLUSIVE);
    own = lockstep_submit_find_free();
    if (own == NONE) {
        LWLockRelease(lockstep_submit_lock);
        return SUBMIT_QUEUE_FULL;
    }
    head = head_of(own);
    head->owner = (int32)(MyProc - ProcGlobal->allProcs);
    head->leader = NONE;
    head->rows[0] = call->rows[0];
    head->rows[1] = call->rows[1];
    head->is_heir = false;
    waits = lockstep_submit_first_with_rows(&lockstep_submit_queue->at_work, call->rows) != NONE ||
            lockstep_submit_first_with_rows(&lockstep_submit_queue->waiting, call->rows) != NONE;
    /* Its group is asked for in either case. */
    call_of(own)->group = call->group;
    if (waits) {
        *call_of(own) = *call;
        head->wait_start = GetCurrentTimestamp();
    }
    lockstep_submit_append(
        waits ? &lockstep_submit_queue->waiting : &lockstep_submit_queue->at_work, own);
    set_state(own, waits ? WAITING : LEADS);
    LWLockRelease(lockstep_submit_lock);
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
            *answer = *answer_of(own);
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
    Assert(leading && taken_count == 0);
    LWLockAcquire(lockstep_submit_lock, LW_EXCLUSIVE);
    taken_count = lockstep_submit_take_group(own, taken);
    /* Those who were to be taken by this one, and cannot, may go on by others. */
    lockstep_submit_pass_on(wake);
    release_and_wake();
    return taken_count;
}

const submit_call *lockstep_submit_taken(int number) {
    return call_of(taken[number]);
}

submit_answer *lockstep_submit_answer_of(int number) {
    return answer_of(taken[number]);
}

void lockstep_submit_fault(void) {
    at_fault = true;
}

static transaction_subscriber ends = {.transaction = at_end};

void lockstep_install_submit_queue(void) {
    lockstep_install_submit_slots();
    if (process_shared_preload_libraries_in_progress)
        lockstep_subscribe_to_transaction_ends(&ends);
}
