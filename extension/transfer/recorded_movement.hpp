// A movement as a row of the journal tells it.
#pragma once

#include "ledger/ledger.hpp"

#include "core/request_id.hpp"

#include <optional>
#include <string>

namespace lockstep {

struct recorded_movement {
    uuid_bytes request_id;
    std::optional<Datum> from; // keys of the ledger's type
    std::optional<Datum> to;
    money amount;
    std::optional<money> from_balance;
    std::optional<money> to_balance;
    std::optional<std::string> refusal; // the SQLSTATE of a kept refusal
    TimestampTz booked_at;
};

} // namespace lockstep
