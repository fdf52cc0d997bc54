/*
 * Hears of databases and tables that are dropped, so that shared memory need not remember them. The
 * module has to be in shared_preload_libraries. A standby drops without this.
 */
#ifndef LOCKSTEP_PG_DROPS_H
#define LOCKSTEP_PG_DROPS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

/* Either function may be NULL. */
typedef struct drop_subscriber {
    /* A database: after the commit; must not fail. */
    void (*database_gone)(Oid database);
    /* A table, or another relation: it is being dropped by this transaction, which may roll back.
     */
    void (*relation_goes)(Oid relation);
    struct drop_subscriber *next; /* the service's own */
} drop_subscriber;

/* From _PG_init, once each; each must live as long as the process. */
void lockstep_subscribe_to_drops(drop_subscriber *one);

/* NOLINTEND(modernize-*) */
#endif
