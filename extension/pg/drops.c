#include "pg/drops.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"

#include "pg/transaction_ends.h"

static drop_subscriber *first = NULL;
static object_access_hook_type earlier_hook = NULL;

/* DROP DATABASE is a transaction of its own: there is one at a time. */
static Oid being_dropped = InvalidOid;

/* Runs before the server is sure that it can drop it. */
static void see_access(ObjectAccessType access, Oid catalog, Oid object, int column, void *arg) {
    if (earlier_hook != NULL)
        earlier_hook(access, catalog, object, column, arg);
    if (access != OAT_DROP)
        return;
    if (catalog == DatabaseRelationId)
        being_dropped = object;
    if (catalog == RelationRelationId && column == 0)
        for (const drop_subscriber *one = first; one != NULL; one = one->next)
            if (one->relation_goes != NULL)
                one->relation_goes(object);
}

static void at_end(XactEvent event) {
    if (event == XACT_EVENT_COMMIT && OidIsValid(being_dropped))
        for (const drop_subscriber *one = first; one != NULL; one = one->next)
            if (one->database_gone != NULL)
                one->database_gone(being_dropped);
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
        being_dropped = InvalidOid;
}

static transaction_subscriber ends = {.transaction = at_end};

void lockstep_subscribe_to_drops(drop_subscriber *one) {
    if (first == NULL) {
        earlier_hook = object_access_hook;
        object_access_hook = see_access;
        lockstep_subscribe_to_transaction_ends(&ends);
    }
    one->next = first;
    first = one;
}
