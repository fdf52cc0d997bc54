/*
 * (lockstep.transfer(...)).* in a query: one call that the server has written out as one copy for
 * each column of the result. Each copy would move the amount.
 */
#ifndef LOCKSTEP_PG_EXPANSION_H
#define LOCKSTEP_PG_EXPANSION_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "postgres.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct call_expansion {
    const char *function; /* its plain name; null where no call of it is expanded */
    int copies;
} call_expansion;

/*
 * Whether the query that is being planned, or one that it stands in, expands a call of this
 * function. To be asked for every call, at planning. A query is looked through once for all of its
 * calls: linear in its size. Raises nothing but out of memory (53200), 54001 and a cancel.
 */
struct PlannerInfo;
call_expansion lockstep_find_expansion(struct PlannerInfo *root, Oid function);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
