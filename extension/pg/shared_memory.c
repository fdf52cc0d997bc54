#include "pg/shared_memory.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define MOST_PARTS 8

static const shared_part *parts[MOST_PARTS];
static int part_count = 0;
static shmem_request_hook_type earlier_request_hook = NULL;
static shmem_startup_hook_type earlier_startup_hook = NULL;

static void request_room(void) {
    if (earlier_request_hook != NULL)
        earlier_request_hook();
    for (int i = 0; i < part_count; ++i) {
        RequestAddinShmemSpace(parts[i]->room());
        if (parts[i]->tranche != NULL)
            RequestNamedLWLockTranche(parts[i]->tranche, 1);
    }
}

static void make_room(void) {
    if (earlier_startup_hook != NULL)
        earlier_startup_hook();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    for (int i = 0; i < part_count; ++i) {
        const shared_part *const part = parts[i];
        LWLock *const lock =
            part->tranche == NULL ? NULL : &GetNamedLWLockTranche(part->tranche)->lock;
        bool found;
        void *const memory = ShmemInitStruct(part->name, part->room(), &found);

        part->set_up(memory, lock, found);
    }
    LWLockRelease(AddinShmemInitLock);
}

void lockstep_add_shared_part(const shared_part *part) {
    if (!process_shared_preload_libraries_in_progress)
        return;
    if (part_count == MOST_PARTS)
        elog(ERROR, "lockstep: no room for the shared memory \"%s\"", part->name);
    if (part_count == 0) {
        earlier_request_hook = shmem_request_hook;
        shmem_request_hook = request_room;
        earlier_startup_hook = shmem_startup_hook;
        shmem_startup_hook = make_room;
    }
    parts[part_count++] = part;
}
