// The rows of lockstep.once_request, read and written directly: no statement runs, so no search
// path, no trigger and nobody's rights matter, nothing waits by itself, and under SERIALIZABLE two
// requests are never in each other's way. The table is locked (ROW EXCLUSIVE) until the end of the
// transaction.
#pragma once

#include "once/held_requests.hpp"

namespace lockstep {

// A request's row, as it is now whatever the transaction's snapshot says; values are in the current
// memory context.
struct known_request {
    TransactionId in_flight;          // who is at it now; while it is valid, nothing else counts
    bool too_new;                     // committed after the transaction's snapshot was taken
    std::optional<Datum> fingerprint; // text
    std::optional<Datum> result;      // jsonb; nothing only where somebody has changed the row
};

// Nothing where there is no such row. One that is being pruned is there until that commits.
[[nodiscard]] std::optional<known_request> find_request(const request_key &key);

// The same for the transaction that is at it, and nothing else: needs no snapshot, and takes none.
[[nodiscard]] TransactionId in_flight_request(const request_key &key);

// Adds the row, without result; false where there is one already, or somebody is adding one.
[[nodiscard]] bool add_request(const request_key &key, std::optional<Datum> fingerprint);

// Gives the row of this transaction its result. 55000 where somebody has taken it away.
void write_result(const request_key &key, Datum result);

// Forgets what was finished before: how many. What another session is forgetting it passes over.
// Call with the current snapshot of a statement.
[[nodiscard]] std::uint64_t delete_finished_before(Datum length_of_time);

} // namespace lockstep
