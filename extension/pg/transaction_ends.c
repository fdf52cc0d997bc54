#include "pg/transaction_ends.h"

static transaction_subscriber *first = NULL;
static transaction_subscriber **end = &first;

static void tell_transaction(XactEvent event, void *arg) {
    for (const transaction_subscriber *one = first; one != NULL; one = one->next)
        if (one->transaction != NULL)
            one->transaction(event);
}

static void tell_subtransaction(SubXactEvent event, SubTransactionId own, SubTransactionId parent,
                                void *arg) {
    for (const transaction_subscriber *one = first; one != NULL; one = one->next)
        if (one->subtransaction != NULL)
            one->subtransaction(event, own, parent);
}

void lockstep_subscribe_to_transaction_ends(transaction_subscriber *one) {
    if (first == NULL) {
        RegisterXactCallback(tell_transaction, NULL);
        RegisterSubXactCallback(tell_subtransaction, NULL);
    }
    one->next = NULL;
    *end = one;
    end = &one->next;
}
