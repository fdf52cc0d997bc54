// What a caller asks for, and what he is answered: one movement each.
#pragma once

#include "ledger/ledger.hpp"

#include "core/request_id.hpp"

#include <cstdint>
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
    bool at_most = false; // the amount, or what there is of it
};

enum class movement_status : std::uint8_t {
    pending, // not decided yet; no caller sees it
    applied,
    replayed,
    refused,
    left // to its own caller, by a call that works for several
};

// As the functions return it; null for those that no caller sees.
[[nodiscard]] constexpr const char *text_of(movement_status status) {
    switch (status) {
    case movement_status::applied: return "applied";
    case movement_status::replayed: return "replayed";
    case movement_status::refused: return "refused";
    case movement_status::pending:
    case movement_status::left: break;
    }
    return nullptr;
}

struct movement_result {
    uuid_bytes request_id{};
    movement_status status = movement_status::pending;
    const char *sqlstate = nullptr; // of a refusal
    std::optional<Datum> amount;    // numerics, as the journal has them
    std::optional<Datum> from_balance;
    std::optional<Datum> to_balance;
    TimestampTz booked_at = 0;
};

} // namespace lockstep
