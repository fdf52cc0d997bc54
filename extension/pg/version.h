/*
 * The differences between the supported servers that C code meets: what is exported, and how the
 * lock manager links its structures. Plain C; version.hpp is the part for C++.
 */
#ifndef LOCKSTEP_PG_VERSION_H
#define LOCKSTEP_PG_VERSION_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "fmgr.h"

#include "access/transam.h"
#include "replication/slot.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/sinvaladt.h"
#include "utils/inval.h"
#include "utils/wait_event.h"

/*
 * 16 exports a function that PG_FUNCTION_INFO_V1 names; on 15 a module built with hidden visibility
 * has to say so itself. Saying it again on 16 and later is harmless.
 */
#define LOCKSTEP_EXPORT __attribute__((visibility("default")))

/*
 * What a module says of itself to the server. 18: its name and version too, as
 * pg_get_loaded_modules() shows them.
 */
#define LOCKSTEP_TEXT_OF(word) #word
#define LOCKSTEP_TEXT(word) LOCKSTEP_TEXT_OF(word)
#if PG_VERSION_NUM >= 180000
#define LOCKSTEP_MODULE_MAGIC(module)                                                              \
    PG_MODULE_MAGIC_EXT(.name = module, .version = LOCKSTEP_TEXT(LOCKSTEP_VERSION))
#else
#define LOCKSTEP_MODULE_MAGIC(module) PG_MODULE_MAGIC
#endif

/* 16: the lock manager's lists are the ones of lib/ilist.h; both are rings of prev and next. */
#if PG_VERSION_NUM >= 160000
typedef dlist_node lock_link;
#define LOCKSTEP_PROCLOCKS_OF_LOCK(lock) (&(lock)->procLocks.head)
#define LOCKSTEP_QUEUE_OF_LOCK(lock) (&(lock)->waitProcs.dlist.head)
#define LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition) (&(process)->myProcLocks[partition].head)
#else
typedef SHM_QUEUE lock_link;
#define LOCKSTEP_PROCLOCKS_OF_LOCK(lock) (&(lock)->procLocks)
#define LOCKSTEP_QUEUE_OF_LOCK(lock) (&(lock)->waitProcs.links)
#define LOCKSTEP_PROCLOCKS_OF_PROCESS(process, partition) (&(process)->myProcLocks[partition])
#endif

/* The link of a process in the queue that it waits in. 19: a field of its own. */
#if PG_VERSION_NUM >= 190000
#define LOCKSTEP_WAIT_LINK waitLink
#else
#define LOCKSTEP_WAIT_LINK links
#endif

/*
 * The lines of a wait's CONTEXT that come before the one about the row. 19: the first says which
 * lock is waited for.
 */
#if PG_VERSION_NUM >= 190000
#define LOCKSTEP_LINES_ON_THE_LOCK 1
#else
#define LOCKSTEP_LINES_ON_THE_LOCK 0
#endif

/* What a link of such a ring is a part of, on every server alike. */
#define LOCKSTEP_CONTAINER(type, member, link) ((type *)((char *)(link)-offsetof(type, member)))

/* 17: a virtual transaction id is one field, and begins with the slot instead of the backend id. */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_VXID_SLOT(process) ((process)->vxid.procNumber)
#define LOCKSTEP_VXID_LOCAL(process) ((process)->vxid.lxid)
#else
#define LOCKSTEP_VXID_SLOT(process) ((process)->backendId)
#define LOCKSTEP_VXID_LOCAL(process) ((process)->lxid)
#endif

/* What the server has counted in a database. 16: by another name. */
#if PG_VERSION_NUM >= 160000
#define LOCKSTEP_COUNTED_DEADLOCKS(database) ((database)->deadlocks)
#else
#define LOCKSTEP_COUNTED_DEADLOCKS(database) ((database)->n_deadlocks)
#endif

/* 16: the transactions that a subscription's workers apply are locked under numbers of their own.
 */
#define LOCKSTEP_HAS_APPLY_LOCKS (PG_VERSION_NUM >= 160000)

/* Where a process stands in the server's table of activities. 17: where it does in that of
 * processes. */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_STATUS_INDEX(process) ((int)((process)-ProcGlobal->allProcs))
#else
#define LOCKSTEP_STATUS_INDEX(process) ((int)(process)->backendId - 1)
#endif

/*
 * Whether an entry of the table of processes is in use, but for prepared transactions. Before 17 a
 * process leaves its pid in it. Not to be called with ProcArrayLock held.
 */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_IS_IN_USE(process) ((process)->pid != 0)
#else
#define LOCKSTEP_IS_IN_USE(process) (BackendIdGetProc((process)->backendId) == (process))
#endif

/* 17: named for what it holds; the fields are the same. */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_XID_LIMITS TransamVariables
#else
#define LOCKSTEP_XID_LIMITS ShmemVariableCache
#endif

/*
 * Locks of the fast path: three bits for each of 16 relations in a word, for the modes 1 to 3. 18:
 * as many words as max_locks_per_transaction wants.
 */
#define LOCKSTEP_FAST_PATH_SLOTS 16
#define LOCKSTEP_FAST_PATH_BITS 3
#define LOCKSTEP_FAST_PATH_RELATION(process, word, slot)                                           \
    ((process)->fpRelId[(word)*LOCKSTEP_FAST_PATH_SLOTS + (slot)])
#if PG_VERSION_NUM >= 180000
#define LOCKSTEP_FAST_PATH_WORDS FastPathLockGroupsPerBackend
#define LOCKSTEP_FAST_PATH_WORD(process, word) ((process)->fpLockBits[word])
#else
#define LOCKSTEP_FAST_PATH_WORDS 1
#define LOCKSTEP_FAST_PATH_WORD(process, word) ((process)->fpLockBits)
#endif

/*
 * How many places for replication slots there are. 19: REPACK has places of its own, behind the
 * others.
 */
#if PG_VERSION_NUM >= 190000
#define LOCKSTEP_SLOT_PLACES (max_replication_slots + max_repack_replication_slots)
#else
#define LOCKSTEP_SLOT_PLACES max_replication_slots
#endif

/* Who uses a slot, by pid; 0: nobody. 19: kept by its entry in the table of processes. */
#if PG_VERSION_NUM >= 190000
#define LOCKSTEP_SLOT_ACTIVE_PID(slot)                                                             \
    ((slot)->active_proc == INVALID_PROC_NUMBER ? 0 : GetPGProcByNumber((slot)->active_proc)->pid)
#else
#define LOCKSTEP_SLOT_ACTIVE_PID(slot) ((slot)->active_pid)
#endif

/* Whether a slot was taken its rights: what it wanted is gone. 16: with a cause. */
#if PG_VERSION_NUM >= 160000
#define LOCKSTEP_SLOT_IS_INVALID(slot) ((slot)->data.invalidated != RS_INVAL_NONE)
#else
#define LOCKSTEP_SLOT_IS_INVALID(slot)                                                             \
    ((slot)->data.restart_lsn == InvalidXLogRecPtr &&                                              \
     (slot)->data.invalidated_at != InvalidXLogRecPtr)
#endif

/* Since when nobody uses a slot. 17: kept. */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_SLOT_INACTIVE_SINCE(slot) ((slot)->inactive_since)
#else
#define LOCKSTEP_SLOT_INACTIVE_SINCE(slot) 0
#endif

/* What names a catalog's cache to a callback. 19: an enumeration. */
#if PG_VERSION_NUM >= 190000
typedef SysCacheIdentifier cache_id;
#else
typedef int cache_id;
#endif

/* What a hook of the executor is called with. 18: a plan knows itself whether it runs but once. */
#if PG_VERSION_NUM >= 180000
#define LOCKSTEP_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define LOCKSTEP_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define LOCKSTEP_EXECUTOR_RUN_PARAMETERS                                                           \
    QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define LOCKSTEP_EXECUTOR_RUN_ARGUMENTS query, direction, count, once
#endif

/*
 * What pg_stat_activity shows of a wait of ours. 17: a name of our own; before, any number is shown
 * as "Extension". Asked for once a process.
 */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_EXTENSION_EVENT(name, number) WaitEventExtensionNew(name)
#else
#define LOCKSTEP_EXTENSION_EVENT(name, number) (PG_WAIT_EXTENSION | (number))
#endif

/* NOLINTEND(modernize-*) */
#endif
