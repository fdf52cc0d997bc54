/*
 * Hears of databases that are dropped, so that shared memory need not remember them. The module has
 * to be in shared_preload_libraries. A standby drops without this.
 */
#ifndef LOCKSTEP_RETRY_DROPPED_DATABASES_H
#define LOCKSTEP_RETRY_DROPPED_DATABASES_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

/* Sets the hooks; once. `gone` runs after the commit, and must not fail. */
void lockstep_watch_dropped_databases(void (*gone)(Oid database));

/* NOLINTEND(modernize-*) */
#endif
