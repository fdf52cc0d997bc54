/*
 * The types that a kept plan has values of: of its parameters, and of its constants. The server
 * makes a plan anew where tables and functions change, but not where a type does.
 */
#ifndef LOCKSTEP_RETRY_TYPES_USED_H
#define LOCKSTEP_RETRY_TYPES_USED_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#include "executor/spi.h"
#include "nodes/pg_list.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As they are now, of those that are not built in; in the current memory context. */
List *lockstep_types_used(SPIPlanPtr plan);

/* Whether all of them are still there, rows with the same columns. */
bool lockstep_types_are_the_same(const List *used);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
