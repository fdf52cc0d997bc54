#include "retry/transaction.hpp"

namespace lockstep {

namespace {

inline namespace guarded {

// Taken by setting, so that the server checks what it checks for SET TRANSACTION.
void set_local(const char *name, const char *value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

// now() is the time of its own transaction only where the server believes to be in a procedure.
void start_with_own_time() {
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    StartTransactionCommand();
    SPI_finish();
}

} // namespace guarded

// The server leaves its memory context to that of the transaction, or to one above all.
template <class Work>
void between_transactions(Work work) {
    const MemoryContext outside = CurrentMemoryContext;
    pg_call(work);
    MemoryContextSwitchTo(outside);
}

} // namespace

const char *isolation_level(const std::string &name) {
    for (const char *known :
         {"read uncommitted", "read committed", "repeatable read", "serializable"})
        if (pg_strcasecmp(name.c_str(), known) == 0)
            return known;
    throw sql_error(state::invalid_parameter_value, "there is no isolation level \"" + name + "\"",
                    {}, "Use \"read committed\", \"repeatable read\" or \"serializable\".");
}

void require_call_alone(FunctionCallInfo fcinfo, const char *procedure, const char *outer) {
    const std::string name = procedure;
    if (outer != nullptr)
        throw sql_error(state::nested_retry, name + " cannot run inside " + outer, {},
                        "Put the statements into one call: a retry begins at the outermost "
                        "statement.");
    if (IsTransactionBlock())
        throw sql_error(state::active_sql_transaction,
                        name + " cannot run inside a transaction block",
                        "It runs transactions of its own, and could not undo what this one did.",
                        "CALL it alone: no BEGIN before it, autocommit on in the driver "
                        "(docs/drivers.md says how in each), no other statement in the same "
                        "message.");
    if ((MyXactFlags & XACT_FLAGS_PIPELINING) != 0)
        throw sql_error(state::active_sql_transaction,
                        name + " cannot run behind other statements of a pipeline",
                        "What they did is not committed yet.",
                        "Let the pipeline end (a Sync message) before the CALL.");
    const auto *call = reinterpret_cast<const CallContext *>(fcinfo->context);
    if (call == nullptr || !IsA(call, CallContext) || call->atomic ||
        SPI_inside_nonatomic_context())
        throw sql_error(state::nested_retry,
                        name + " cannot run inside a function, a procedure or a DO block",
                        "It could not undo what they did before.", "CALL it from the client.");
}

void leave_transaction_of_call() {
    between_transactions([] {
        ForgetPortalSnapshots();
        CommitTransactionCommand();
    });
}

void begin_transaction(const transaction_mode &mode, int attempt) {
    const transaction_mode wanted = mode;
    between_transactions([wanted, attempt] {
        start_with_own_time();
        set_local("transaction_isolation", wanted.isolation);
        if (wanted.read_only)
            set_local("transaction_read_only", "on");
        if (wanted.deferrable)
            set_local("transaction_deferrable", "on");
        char number[12];
        pg_ltoa(attempt, number);
        set_local("lockstep.attempt", number);
    });
}

void begin_read_committed() {
    between_transactions([] {
        start_with_own_time();
        if (XactIsoLevel != XACT_READ_COMMITTED)
            set_local("transaction_isolation", "read committed");
    });
}

void commit_transaction() {
    between_transactions([] {
        ForgetPortalSnapshots();
        CommitTransactionCommand();
    });
}

void abandon_transaction() {
    between_transactions([] {
        // Of all levels: who raised the error may have left a subtransaction open.
        AbortOutOfAnyTransaction();
        if (MyReplicationSlot != nullptr)
            ReplicationSlotRelease();
        // It went with the transaction, and the portal of the CALL does not know.
        if (ActivePortal != nullptr)
            ActivePortal->portalSnapshot = nullptr;
    });
}

void begin_plain_transaction() {
    between_transactions([] { StartTransactionCommand(); });
}

void kept_settings::restore() {
    const int level = level_;
    pg_call([level] {
        // What the commit would do with the settings and the role that were set: deferred triggers
        // fire, and cursors that outlive the transaction get their rows, which may fire more.
        ConstraintsSetStmt *all = makeNode(ConstraintsSetStmt);
        ForgetPortalSnapshots();
        do
            AfterTriggerSetState(all);
        while (PreCommit_Portals(false));
        AtEOXact_GUC(false, level);
    });
}

} // namespace lockstep
