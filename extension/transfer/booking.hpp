// One movement from the request to the journal row: answered from the journal where it was done
// before, otherwise written in canonical order, checked, and booked.
#pragma once

#include "ledger/ledger.hpp"
#include "transfer/journal.hpp"

#include <optional>

namespace lockstep {

struct movement_request {
    std::optional<Datum> from; // keys of the ledger's type; one of both may be absent
    std::optional<Datum> to;
    money amount; // checked against the column, above zero
    std::optional<uuid_bytes> request_id;
    std::optional<Datum> memo;
    std::optional<std::int64_t> expected_version;
    bool return_refusals = false;
};

struct movement_result {
    uuid_bytes request_id;
    const char *status;   // applied, replayed or refused
    const char *sqlstate; // of a refusal, else null
    money amount;
    std::optional<Datum> from_balance; // numerics
    std::optional<Datum> to_balance;
    TimestampTz booked_at;
};

// Does it, exactly once where the request has an id. Needs an open SPI session. Refusals are
// thrown, or returned and kept; see README for the errors.
[[nodiscard]] movement_result book_movement(const ledger &in, const movement_request &request);

} // namespace lockstep
