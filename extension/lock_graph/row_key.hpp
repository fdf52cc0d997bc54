// The row behind a place in a table: its key, where the caller may see it, and who else has it
// locked. Nothing here waits for a lock.
#pragma once

#include "pg/boundary.hpp"

#include <cstdint>
#include <span>

namespace lockstep {

enum class row_status : std::uint8_t {
    ok,
    no_privilege,    // the caller may not read the key's columns
    rls,             // row security hides rows of the table from the caller
    moved,           // by now another transaction has the place, or nobody
    relation_locked, // the table, its index or a catalog is locked against reading
    other_db,        // the table belongs to another database
    other_temp,      // a temporary table of another session
    key_type,        // a key of a type that cannot be printed without waiting
    no_key,          // no primary key, and no other unique index without nulls
    unknown          // the server does not tell which row
};

[[nodiscard]] const char *status_name(row_status status);

// One row to look at. What is asked goes in, what is found comes out; everything is in the current
// memory context.
struct row_look {
    ItemPointerData place;
    TransactionId holder; // who is waited for; invalid where that is not known
    bool may_be_new;      // the holder may have inserted the row, and not locked it
    row_status status;
    const char *key;          // (column, ...)=(value, ...), or null
    MultiXactMember *lockers; // the transactions that have the row locked together
    int locker_count;
    // Valid: no holder is asked for any more; the row is the one that was meant if it was written
    // by a transaction before this one.
    TransactionId written_before = InvalidTransactionId;
};

// Looks at rows of one relation of this database.
void look_at_rows(Oid relation, std::span<row_look> rows);

// Looks at a row that a session has written and not yet put into a unique index: the key is the
// index's, the one that somebody else has inserted too. `holder` is the writing transaction.
void look_at_inserted_row(Oid index, row_look &row);

// The heavyweight lock mode that stands for a way to lock a row.
[[nodiscard]] LOCKMODE row_lock_mode(MultiXactStatus status);

// The transaction that a subtransaction belongs to; itself where that is no longer known.
[[nodiscard]] TransactionId topmost(TransactionId xid);

} // namespace lockstep
