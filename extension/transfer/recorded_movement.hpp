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
    std::optional<money> at_most;     // what was asked for, where it was that or what there is
    std::optional<Datum> kept_amount; // numerics, as the journal has them
    std::optional<Datum> from_balance;
    std::optional<Datum> to_balance;
    std::optional<std::string> refusal; // the SQLSTATE of a kept refusal
    TimestampTz booked_at;
};

} // namespace lockstep
