// The transactions of a version: what became of them, and who is in a multixact.
#pragma once

#include "pg/boundary.hpp"

#include "core/versions/visibility.hpp"

#include <string>
#include <vector>

namespace lockstep {

// By the server's own records, however old it is.
[[nodiscard]] versions::fate fate_of(TransactionId xid);

struct version_locker {
    TransactionId xid;
    MultiXactStatus status;
    versions::fate now;
};

// "key share", "share", "no key update", "update": how a version is locked; "updates or deletes"
// where it is more.
[[nodiscard]] const char *strength_word(MultiXactStatus status);

// What is in xmax, as far as it says anything.
struct version_end {
    bool is_lock = false; // it is locked and no more
    bool is_multi = false;
    bool is_forgotten = false;                    // a multixact whose members are no longer kept
    TransactionId updater = InvalidTransactionId; // who updated or deleted it, rolled back or not
    TransactionId locker = InvalidTransactionId;  // of a single one
    std::vector<version_locker> members;          // of a multixact
};

[[nodiscard]] version_end end_of(const HeapTupleHeaderData *version);

inline namespace guarded {

// Who updated or deleted it, rolled back or not; invalid where nobody is known to have.
[[nodiscard]] TransactionId updater_in_guard(const HeapTupleHeaderData *version);

} // namespace guarded
} // namespace lockstep
