// The requests that this transaction has in hand: begun by once_begin, and finished or not yet. An
// id that is begun must be finished in the same transaction: COMMIT and PREPARE TRANSACTION refuse
// what is left (55000), so no id is ever taken without a result.
//
// A savepoint that is rolled back takes back what was done in it. Whoever waits for an id that an
// inner savepoint had taken, and released, waits for the end of the transaction all the same: such
// an id counts for the order of waits until then.
#pragma once

#include "pg/boundary.hpp"

#include "core/request_id.hpp"

#include <optional>
#include <string>

namespace lockstep {

// Whose request, and which: two roles may use the same id for different work.
struct request_key {
    Oid requester;
    uuid_bytes id;
};

// Follows the ends of transactions. Once, when the module is loaded.
void install_held_requests();

// Where the request stands in this transaction; nothing where it has none of that name in hand.
enum class held_state { begun, finished };
[[nodiscard]] std::optional<held_state> held_state_of(const request_key &key) noexcept;

// It was begun, or finished, just now, in the current subtransaction.
void hold_request(const request_key &key);
void mark_finished(const request_key &key) noexcept;

// Where a request is in hand that does not stand below this one (by id, then by role): its name
// for a message. So requests have one order, and whoever waits for one waits upwards.
[[nodiscard]] std::optional<std::string> held_not_below(const request_key &key);

} // namespace lockstep
