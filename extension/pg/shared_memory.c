#include "pg/shared_memory.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

static shared_part *first = NULL;
static shared_part **end = &first;
static shmem_request_hook_type earlier_request_hook = NULL;
static shmem_startup_hook_type earlier_startup_hook = NULL;

static void request_room(void) {
    if (earlier_request_hook != NULL)
        earlier_request_hook();
    for (const shared_part *part = first; part != NULL; part = part->next) {
        /* Each begins at a cache line. */
        RequestAddinShmemSpace(CACHELINEALIGN(part->room()));
        if (part->tranche != NULL)
            RequestNamedLWLockTranche(part->tranche, 1);
    }
}

static void make_room(void) {
    if (earlier_startup_hook != NULL)
        earlier_startup_hook();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    for (const shared_part *part = first; part != NULL; part = part->next) {
        LWLock *const lock =
            part->tranche == NULL ? NULL : &GetNamedLWLockTranche(part->tranche)->lock;
        bool found;
        void *const memory = ShmemInitStruct(part->name, part->room(), &found);

        part->set_up(memory, lock, found);
    }
    LWLockRelease(AddinShmemInitLock);
}

void lockstep_add_shared_part(shared_part *part) {
    if (!process_shared_preload_libraries_in_progress)
        return;
    if (first == NULL) {
        earlier_request_hook = shmem_request_hook;
        shmem_request_hook = request_room;
        earlier_startup_hook = shmem_startup_hook;
        shmem_startup_hook = make_room;
    }
    part->next = NULL;
    *end = part;
    end = &part->next;
}
