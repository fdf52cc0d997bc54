/*
 * The differences between the supported servers that C code meets: what is exported, and how the
 * lock manager links its structures. Plain C; version.hpp is the part for C++.
 */
#ifndef LOCKSTEP_PG_VERSION_H
#define LOCKSTEP_PG_VERSION_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "storage/lock.h"
#include "storage/proc.h"

/*
 * 16 exports a function that PG_FUNCTION_INFO_V1 names; on 15 a module built with hidden visibility
 * has to say so itself. Saying it again on 16 and later is harmless.
 */
#define LOCKSTEP_EXPORT __attribute__((visibility("default")))

/* 16: the lock manager's lists are the ones of lib/ilist.h; both are rings of prev and next. */
#if PG_VERSION_NUM >= 160000
typedef dlist_node lock_link;
#define LOCKSTEP_CLAIMS_OF_LOCK(lock) (&(lock)->procLocks.head)
#define LOCKSTEP_QUEUE_OF_LOCK(lock) (&(lock)->waitProcs.dlist.head)
#define LOCKSTEP_CLAIMS_OF_PROCESS(process, partition) (&(process)->myProcLocks[partition].head)
#else
typedef SHM_QUEUE lock_link;
#define LOCKSTEP_CLAIMS_OF_LOCK(lock) (&(lock)->procLocks)
#define LOCKSTEP_QUEUE_OF_LOCK(lock) (&(lock)->waitProcs.links)
#define LOCKSTEP_CLAIMS_OF_PROCESS(process, partition) (&(process)->myProcLocks[partition])
#endif

/* 17: a virtual transaction id is one field, and begins with the slot instead of the backend id. */
#if PG_VERSION_NUM >= 170000
#define LOCKSTEP_VXID_SLOT(process) ((process)->vxid.procNumber)
#define LOCKSTEP_VXID_LOCAL(process) ((process)->vxid.lxid)
#else
#define LOCKSTEP_VXID_SLOT(process) ((process)->backendId)
#define LOCKSTEP_VXID_LOCAL(process) ((process)->lxid)
#endif

/* NOLINTEND(modernize-*) */
#endif
