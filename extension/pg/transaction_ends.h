/*
 * How transactions and subtransactions of this process begin to end, and end. One callback of each
 * kind is registered with the server, for any number of subscribers.
 */
#ifndef LOCKSTEP_PG_TRANSACTION_ENDS_H
#define LOCKSTEP_PG_TRANSACTION_ENDS_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

#include "access/xact.h"

/* Either function may be NULL. */
typedef struct transaction_subscriber {
    /*
     * A transaction: before it commits or is prepared (XACT_EVENT_PRE_*), when an error still rolls
     * it back; and after it has committed, was prepared or rolled back, when no error may be raised
     * any more. Ends of subtransactions are not told here: one that is open when its transaction
     * ends goes first, by the function below. A parallel worker has events of its own.
     */
    void (*transaction)(XactEvent event);
    /*
     * A subtransaction, of a savepoint or of a block that traps errors: it has started, is about to
     * commit into its parent, has done so, or was rolled back. After a commit what was done under
     * its id is the parent's. No error may be raised after a rollback.
     */
    void (*subtransaction)(SubXactEvent event, SubTransactionId own, SubTransactionId parent);
    struct transaction_subscriber *next; /* the service's own */
} transaction_subscriber;

/*
 * From _PG_init, once each. Subscribers are called in the order of their subscription; each must
 * live as long as the process.
 */
void lockstep_subscribe_to_transaction_ends(transaction_subscriber *one);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
