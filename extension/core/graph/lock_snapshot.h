/*
 * One instant of the lock manager, as plain numbers: what the walk over shared memory copies out,
 * and all that the graph is made from. For C, which fills it, and for C++, which reads it.
 *
 * The arrays point at each other by index. A process is a backend, an auxiliary process or the
 * dummy that a prepared transaction leaves in the table of processes.
 */
#ifndef LOCKSTEP_CORE_GRAPH_LOCK_SNAPSHOT_H
#define LOCKSTEP_CORE_GRAPH_LOCK_SNAPSHOT_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lock modes are numbered from 1; mode m is bit 1 << m of a mask. */
#define LOCKSTEP_LOCK_MODES 9
#define LOCKSTEP_LOCK_METHODS 3 /* numbered from 1: the server's own, advisory */

typedef struct lock_process {
    int32_t slot;        /* in the server's table of processes */
    int32_t pid;         /* 0 for a prepared transaction */
    int32_t leader;      /* index of the leader of its lock group; its own where it is alone */
    int32_t vxid_slot;   /* virtual transaction id, as in slot/local */
    uint32_t vxid_local; /* 0: none */
    uint32_t xid;        /* 0: none */
    uint32_t database;   /* OID; 0: none */
    uint32_t role;       /* OID; 0: none */
    uint32_t wait_event; /* what it waits for, packed as the server does */
    uint8_t prepared;    /* a prepared transaction */
    uint8_t auxiliary;   /* an auxiliary process: startup, checkpointer, ... */
    uint8_t autovacuum;  /* an autovacuum worker */
    uint8_t wraparound;  /* ... that works against wraparound */
} lock_process;

/* A lock that somebody waits for. */
typedef struct lock_object {
    uint32_t field1, field2, field3; /* of the lock's tag */
    uint16_t field4;
    uint8_t type; /* of the tag: relation, tuple, ... */
    uint8_t method;
    uint8_t is_tuple;       /* a place in the line for a row */
    uint8_t in_group;       /* members of one lock group do block each other here */
    int32_t first_proclock; /* its proclocks: proclocks[first_proclock ...] */
    int32_t proclocks;
    int32_t first_wait; /* its queue: waits[first_wait ...], in the order of the queue */
    int32_t waits;
} lock_object;

/* What one process has of one such lock; a process that only waits has one that holds nothing.
 */
typedef struct lock_proclock {
    int32_t process;
    uint32_t held; /* mask of modes */
} lock_proclock;

typedef struct lock_wait {
    int32_t process;
    int32_t lock;
    int32_t mode;
    int64_t started; /* microseconds since 2000-01-01; 0: not yet known */
    /* The place in a row's line that it holds while it waits for a transaction. */
    uint32_t row_database;
    uint32_t row_relation; /* 0: none */
    uint32_t row_block;
    uint16_t row_offset;
    int32_t row_mode;
} lock_wait;

typedef struct lock_snapshot {
    uint32_t conflicts[LOCKSTEP_LOCK_METHODS]
                      [LOCKSTEP_LOCK_MODES]; /* modes in conflict with a mode */
    lock_process *processes;
    lock_object *locks;
    lock_proclock *proclocks;
    lock_wait *waits;
    int32_t *safe_snapshot_waits; /* processes that wait for a safe snapshot */
    int32_t process_count;
    int32_t lock_count;
    int32_t proclock_count;
    int32_t wait_count;
    int32_t safe_snapshot_wait_count;
    int64_t taken_at; /* microseconds since 2000-01-01 */
    int64_t held_for; /* nanoseconds for which the lock manager stood still */
    int32_t attempts; /* 1, unless the copy had to be made again with more room */
} lock_snapshot;

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
