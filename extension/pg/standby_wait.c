#include "pg/version.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lwlock.h"

#include "pg/standby_wait.h"

/* As assign_synchronous_commit() has it. */
static int wait_mode(void) {
    switch (synchronous_commit) {
    case SYNCHRONOUS_COMMIT_REMOTE_WRITE: return SYNC_REP_WAIT_WRITE;
    case SYNCHRONOUS_COMMIT_REMOTE_APPLY: return SYNC_REP_WAIT_APPLY;
    default: return SYNC_REP_WAIT_FLUSH;
    }
}

bool lockstep_standbys_may_lack_commit(void) {
    XLogRecPtr reached;

    /* Without an id it has waited for nothing, and the place of its end is that of an earlier one.
     */
    if (!SyncRepRequested() || SyncRepStandbyNames == NULL || SyncRepStandbyNames[0] == '\0' ||
        !TransactionIdIsValid(GetTopTransactionIdIfAny()))
        return false;
    LWLockAcquire(SyncRepLock, LW_SHARED);
    reached = WalSndCtl->lsn[wait_mode()];
    LWLockRelease(SyncRepLock);
    return reached < XactLastCommitEnd;
}
