#include "submit/slots.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "pg/shared_memory.h"

int lockstep_submit_queue_size = 256;
shared_queue *lockstep_submit_queue = NULL;
slot_body *lockstep_submit_bodies = NULL;
LWLock *lockstep_submit_lock = NULL;

static Size heads_size(void) {
    return MAXALIGN(add_size(offsetof(shared_queue, heads),
                             mul_size(sizeof(slot_head), lockstep_submit_queue_size)));
}

static Size room(void) {
    return add_size(heads_size(), mul_size(sizeof(slot_body), lockstep_submit_queue_size));
}

static void set_up(void *memory, LWLock *lock, bool found) {
    lockstep_submit_queue = memory;
    lockstep_submit_bodies = (slot_body *)((char *)memory + heads_size());
    lockstep_submit_lock = lock;
    if (found)
        return;
    memset(memory, 0, room());
    lockstep_submit_queue->waiting = lockstep_submit_queue->at_work = (slot_list){NONE, NONE};
    for (int i = 0; i < lockstep_submit_queue_size; ++i)
        pg_atomic_init_u32(&head_of(i)->state, FREE);
}

void lockstep_submit_append(slot_list *list, int32 slot) {
    slot_head *const head = head_of(slot);

    head->next = NONE;
    head->before = list->last;
    if (list->last == NONE)
        list->first = slot;
    else
        head_of(list->last)->next = slot;
    list->last = slot;
}

void lockstep_submit_take_out(slot_list *list, int32 slot) {
    const slot_head *const head = head_of(slot);

    if (head->before == NONE)
        list->first = head->next;
    else
        head_of(head->before)->next = head->next;
    if (head->next == NONE)
        list->last = head->before;
    else
        head_of(head->next)->before = head->before;
}

int32 lockstep_submit_find_free(void) {
    static int32 last = 0;

    for (int i = 0; i < lockstep_submit_queue_size; ++i) {
        const int32 slot = (last + i) % lockstep_submit_queue_size;

        if (state_of(slot) == FREE) {
            last = slot;
            return slot;
        }
    }
    return NONE;
}

static shared_part part = {
    .name = "lockstep submit queue",
    .room = room,
    .tranche = "lockstep_submit_queue",
    .set_up = set_up,
};

void lockstep_install_submit_slots(void) {
    DefineCustomIntVariable("lockstep.submit_queue_size",
                            "Calls of lockstep.submit that can be under way at the same time.",
                            "Others do their work by themselves. Needs lockstep in "
                            "shared_preload_libraries.",
                            &lockstep_submit_queue_size, 256, 1, 10000,
                            process_shared_preload_libraries_in_progress ? PGC_POSTMASTER
                                                                         : PGC_SIGHUP,
                            0, NULL, NULL, NULL);
    if (process_shared_preload_libraries_in_progress)
        lockstep_add_shared_part(&part);
}
