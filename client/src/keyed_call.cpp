#include "keyed_call.hpp"

#include <stdexcept>

namespace lockstep {

std::string_view to_string(booking status) noexcept {
    switch (status) {
    case booking::applied: return "applied";
    case booking::replayed: return "replayed";
    case booking::refused: return "refused";
    }
    return "refused";
}

namespace detail {
namespace {

// The time comes as microseconds: its text would depend on the session's DateStyle and TimeZone.
constexpr const char *transfer_name = "lockstep_transfer";
constexpr const char *transfer_text =
    "SELECT request_id, status, sqlstate, amount, from_balance, to_balance,"
    " (extract(epoch FROM booked_at) * 1000000)::pg_catalog.int8 AS booked_at"
    " FROM lockstep.transfer($1::pg_catalog.regclass, $2::pg_catalog.text, $3::pg_catalog.text,"
    " $4::pg_catalog.numeric, $5::pg_catalog.uuid, $6::pg_catalog.jsonb, $7::pg_catalog.int8,"
    " 'return')";
constexpr const char *adjust_name = "lockstep_adjust";
constexpr const char *adjust_text =
    "SELECT request_id, status, sqlstate, delta, balance,"
    " (extract(epoch FROM booked_at) * 1000000)::pg_catalog.int8 AS booked_at"
    " FROM lockstep.adjust($1::pg_catalog.regclass, $2::pg_catalog.text, $3::pg_catalog.numeric,"
    " $4::pg_catalog.uuid, $5::pg_catalog.jsonb, $6::pg_catalog.int8, 'return')";

booking status_of(const rows &answer) {
    const auto status = answer[0]["status"].text();
    if (status == "applied")
        return booking::applied;
    if (status == "replayed")
        return booking::replayed;
    if (status == "refused")
        return booking::refused;
    throw std::runtime_error("the server's lockstep gave the status \"" + std::string(status) +
                             "\", which this client does not know");
}

std::string refusal_of(const rows &answer) {
    return answer[0]["sqlstate"].as_optional<std::string>().value_or("");
}

std::optional<booking_time> time_of(const rows &answer) {
    const auto microseconds = answer[0]["booked_at"].as_optional<std::int64_t>();
    if (!microseconds)
        return std::nullopt;
    return booking_time(std::chrono::microseconds(*microseconds));
}

transfer_result transfer_result_of(const rows &answer) {
    const auto only = answer[0];
    return {only["request_id"].as<request_id>(),
            status_of(answer),
            refusal_of(answer),
            only["amount"].as<amount>(),
            only["from_balance"].as_optional<amount>(),
            only["to_balance"].as_optional<amount>(),
            time_of(answer),
            {}};
}

adjust_result adjust_result_of(const rows &answer) {
    const auto only = answer[0];
    return {only["request_id"].as<request_id>(),
            status_of(answer),
            refusal_of(answer),
            only["delta"].as<amount>(),
            only["balance"].as_optional<amount>(),
            time_of(answer),
            {}};
}

} // namespace

keyed_call<transfer_result> keyed(const transfer_request &request) {
    const auto id = request.id ? *request.id : request_id::make();
    return {id,
            !request.id,
            transfer_name,
            transfer_text,
            {request.ledger, request.from_key.text(), request.to_key.text(), request.amount, id,
             request.memo, request.expected_from_version},
            transfer_result_of};
}

keyed_call<adjust_result> keyed(const adjust_request &request) {
    const auto id = request.id ? *request.id : request_id::make();
    return {id,
            !request.id,
            adjust_name,
            adjust_text,
            {request.ledger, request.key.text(), request.delta, id, request.memo,
             request.expected_version},
            adjust_result_of};
}

} // namespace detail
} // namespace lockstep
