#include "pg/version.h"

#include "storage/proc.h"

#include "submit/edges.h"
#include "submit/turns.h"

int lockstep_submit_places(void) {
    return lockstep_submit_queue_size;
}

static int32 pid_of(int32 slot) {
    return ProcGlobal->allProcs[head_of(slot)->owner].pid;
}

static submit_edge edge_between(int32 follower, int32 leader) {
    return (submit_edge){head_of(follower)->wait_start, pid_of(follower), pid_of(leader)};
}

int lockstep_submit_edges(submit_edge *to, int room_for) {
    int count = 0;

    if (lockstep_submit_queue == NULL)
        return 0;
    LWLockAcquire(lockstep_submit_lock, LW_SHARED);
    for (int32 slot = lockstep_submit_queue->at_work.first; slot != NONE && count < room_for;
         slot = head_of(slot)->next)
        if (state_of(slot) == TAKEN)
            to[count++] = edge_between(slot, head_of(slot)->leader);
    for (int32 slot = lockstep_submit_queue->waiting.first; slot != NONE && count < room_for;
         slot = head_of(slot)->next) {
        const uint32 *const rows = head_of(slot)->rows;
        int32 other = lockstep_submit_first_with_rows(&lockstep_submit_queue->at_work, rows);

        if (other == NONE)
            other = lockstep_submit_heir_of(slot);
        if (other != NONE)
            other = lockstep_submit_leader_of(other);
        else
            other = lockstep_submit_first_with_rows(&lockstep_submit_queue->waiting, rows);
        if (other != slot) /* it is not the first of them itself */
            to[count++] = edge_between(slot, other);
    }
    LWLockRelease(lockstep_submit_lock);
    return count;
}
