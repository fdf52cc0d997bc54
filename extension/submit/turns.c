#include "submit/turns.h"

#include "utils/memutils.h"

/* Calls that have come earlier, while those who wait are gone through. */
static int32 *ahead = NULL;

void lockstep_submit_prepare_turns(void) {
    ahead = MemoryContextAlloc(TopMemoryContext, sizeof(int32) * lockstep_submit_queue_size);
}

static bool is_one_group(int32 a, int32 b) {
    return memcmp(&call_of(a)->group, &call_of(b)->group, sizeof(submit_group)) == 0;
}

static bool has_row(const uint32 rows[2], uint32 row) {
    return row != 0 && (rows[0] == row || rows[1] == row);
}

static bool meet(const uint32 a[2], const uint32 b[2]) {
    return has_row(a, b[0]) || has_row(a, b[1]);
}

int32 lockstep_submit_first_with_rows(const slot_list *list, const uint32 rows[2]) {
    for (int32 slot = list->first; slot != NONE; slot = head_of(slot)->next)
        if (meet(head_of(slot)->rows, rows))
            return slot;
    return NONE;
}

int32 lockstep_submit_leader_of(int32 slot) {
    return state_of(slot) == LEADS ? slot : head_of(slot)->leader;
}

int32 lockstep_submit_heir_of(int32 slot) {
    for (int32 one = lockstep_submit_queue->at_work.first; one != NONE; one = head_of(one)->next)
        if (state_of(one) == LEADS && head_of(one)->is_heir && is_one_group(one, slot))
            return one;
    return NONE;
}

/* Whether somebody is at work on one of its rows, who is not this leader. */
static bool is_kept_from(int32 slot, int32 leader) {
    for (int32 one = lockstep_submit_queue->at_work.first; one != NONE; one = head_of(one)->next)
        if (lockstep_submit_leader_of(one) != leader &&
            meet(head_of(one)->rows, head_of(slot)->rows))
            return true;
    return false;
}

static void put_to_work(int32 slot, slot_state state) {
    lockstep_submit_take_out(&lockstep_submit_queue->waiting, slot);
    lockstep_submit_append(&lockstep_submit_queue->at_work, slot);
    set_state(slot, state);
}

void lockstep_submit_pass_on(void (*leads)(int32 slot)) {
    int32 next;
    int kept = 0;     /* ahead[0 .. kept - 1] are kept from their rows */
    int promised = 0; /* ahead[size - promised ..] are for an heir to take */

    for (int32 slot = lockstep_submit_queue->waiting.first; slot != NONE; slot = next) {
        const int32 heir = lockstep_submit_heir_of(slot);
        bool behind = is_kept_from(slot, heir);

        next = head_of(slot)->next;
        for (int i = 0; i < kept && !behind; ++i)
            behind = meet(head_of(ahead[i])->rows, head_of(slot)->rows);
        for (int i = 0; i < promised && !behind; ++i) {
            const int32 other = ahead[lockstep_submit_queue_size - 1 - i];

            behind = meet(head_of(other)->rows, head_of(slot)->rows) && !is_one_group(other, slot);
        }
        if (behind) {
            ahead[kept++] = slot;
        } else if (heir != NONE) {
            ahead[lockstep_submit_queue_size - ++promised] = slot;
        } else {
            head_of(slot)->is_heir = true;
            put_to_work(slot, LEADS);
            leads(slot);
        }
    }
}

int lockstep_submit_take_group(int32 leader, int32 *taken) {
    int32 next;
    int count = 0;
    int kept = 0;

    for (int32 slot = lockstep_submit_queue->waiting.first; slot != NONE; slot = next) {
        bool behind = !is_one_group(slot, leader) || is_kept_from(slot, leader);

        next = head_of(slot)->next;
        for (int i = 0; i < kept && !behind; ++i)
            behind = meet(head_of(ahead[i])->rows, head_of(slot)->rows);
        if (behind) {
            ahead[kept++] = slot;
            continue;
        }
        head_of(slot)->leader = leader;
        put_to_work(slot, TAKEN);
        /* Until it is told otherwise. */
        answer_of(slot)->fate = SUBMIT_NOT_TOLD;
        taken[count++] = slot;
    }
    head_of(leader)->is_heir = false;
    return count;
}
