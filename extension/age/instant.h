/*
 * One instant of the table of processes, of the replication slots and of the counters of
 * transaction ids, as plain numbers. For C, which fills it, and for C++, which reads it.
 */
#ifndef LOCKSTEP_AGE_INSTANT_H
#define LOCKSTEP_AGE_INSTANT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "core/graph/lock_snapshot.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A process or prepared transaction that has a transaction, a snapshot or temporary tables. */
typedef struct age_process {
    lock_process
        process;   /* its leader is an index into the instant's processes, as in a snapshot */
    uint32_t xmin; /* 0: none */
    uint32_t temp_schema;   /* OID of its schema for temporary tables; 0: none */
    bool in_vacuum;         /* a vacuum that keeps no rows */
    bool decodes;           /* logical decoding: its slot keeps the rows */
    bool is_for_all;        /* a standby's feedback: holds in every database */
    int32_t locks_held;     /* as many as pg_locks shows, without SIReadLock */
    int32_t strongest_mode; /* of its locks on objects, not on transactions; 0: none */
    uint8_t strongest_method;
} age_process;

typedef struct age_slot {
    char name[64];
    uint32_t database; /* OID; 0: a physical one */
    uint32_t xmin;     /* what it keeps now; 0: none */
    uint32_t catalog_xmin;
    uint64_t restart_lsn;   /* 0: none */
    int32_t active_pid;     /* 0: nobody */
    int64_t inactive_since; /* microseconds since 2000-01-01; 0: not known */
    bool is_invalid;
} age_slot;

typedef struct age_counters {
    uint64_t next_xid;        /* full */
    uint32_t oldest_xid;      /* smallest datfrozenxid */
    uint32_t oldest_database; /* whose it is */
    uint32_t warn_limit;      /* where the server warns, */
    uint32_t stop_limit;      /* and where it stops */
    uint32_t next_multi;
    uint32_t oldest_multi; /* smallest datminmxid */
} age_counters;

typedef struct age_instant {
    age_counters counters;
    age_process *processes;
    age_slot *slots;
    int32_t process_count;
    int32_t slot_count;
    bool in_recovery;
    uint64_t lsn; /* end of the WAL, or of what was replayed */
    int64_t taken_at;
} age_instant;

/*
 * Takes ProcArrayLock, XidGenLock and ReplicationSlotControlLock, each shared and one after the
 * other, and with `with_locks` the lock manager's partitions and the fast paths of those who are
 * in it, shared and one at a time. No heavyweight lock, no transaction id. In the current memory
 * context; raises nothing but out of memory (53200).
 */
const age_instant *lockstep_take_instant(bool with_locks);

/* The caller's own locks, in the same way. */
void lockstep_count_own_locks(age_process *to);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
