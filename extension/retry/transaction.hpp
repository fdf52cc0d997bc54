// Transactions of our own, one after the other, inside a CALL that stands alone. In between there
// is none: nothing is locked, no snapshot is held, and nobody waits for us.
#pragma once

#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

#include <string>

namespace lockstep {

struct transaction_mode {
    const char *isolation; // as SET TRANSACTION names it
    bool read_only;
    bool deferrable;
};

// 22023 where there is no such level.
[[nodiscard]] const char *isolation_level(const std::string &name);

// Whether a CALL may run transactions of its own: LS060 inside another one that does (`outer`, if
// it is not null), a function, a procedure or a DO block, 25001 in a transaction block or behind
// other statements of a pipeline: what they did would be committed or rolled back with ours. Both
// are names, for messages.
void require_call_alone(FunctionCallInfo fcinfo, const char *procedure, const char *outer);

// Ends what such a CALL has begun before its procedure ran (its arguments), and leaves it without a
// transaction.
void leave_transaction_of_call();

// One transaction: begun, as this attempt at the work (lockstep.attempt), then either committed or,
// after an error, abandoned. What remains allocated is in the memory context that is current at the
// calls.
void begin_transaction(const transaction_mode &mode, int attempt);
// The same at READ COMMITTED, whatever the session's default is; no attempt at anything.
void begin_read_committed();
void commit_transaction();
void abandon_transaction();

// For what the server still has to do after the procedure: a transaction as it would have begun by
// itself.
void begin_plain_transaction();

// Settings that were changed within the scope, and the role with them, are put back by restore();
// changes that are local to the transaction are in force until then, in deferred triggers too. On
// an error the server puts them back.
class kept_settings {
  public:
    kept_settings() : level_(pg_call([] { return NewGUCNestLevel(); })) {}
    void restore();

  private:
    int level_;
};

} // namespace lockstep
