#include "keyed_call.hpp"

#include "array_parameter.hpp"
#include "binary_field.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

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
    " 'return', $8::pg_catalog.bool)";
constexpr const char *adjust_name = "lockstep_adjust";
constexpr const char *adjust_text =
    "SELECT request_id, status, sqlstate, delta, balance,"
    " (extract(epoch FROM booked_at) * 1000000)::pg_catalog.int8 AS booked_at"
    " FROM lockstep.adjust($1::pg_catalog.regclass, $2::pg_catalog.text, $3::pg_catalog.numeric,"
    " $4::pg_catalog.uuid, $5::pg_catalog.jsonb, $6::pg_catalog.int8, 'return',"
    " $7::pg_catalog.bool)";
// A CALL's values cannot be converted on their way, so they come as they are, in binary.
constexpr const char *submit_name = "lockstep_submit";
constexpr const char *submit_text =
    "CALL lockstep.submit($1::pg_catalog.regclass, $2::pg_catalog.text, $3::pg_catalog.text,"
    " $4::pg_catalog.numeric, $5::pg_catalog.uuid, $6::pg_catalog.jsonb, 'return',"
    " $7::pg_catalog.bool)";
constexpr const char *batch_name = "lockstep_transfer_batch";
constexpr const char *batch_text =
    "SELECT item, request_id, status, sqlstate, from_balance, to_balance"
    " FROM lockstep.transfer_batch($1::pg_catalog.regclass, $2::pg_catalog.text[],"
    " $3::pg_catalog.text[], $4::pg_catalog.text[]::pg_catalog.numeric[],"
    " $5::pg_catalog.uuid[], $6::pg_catalog.bool,"
    " $7::pg_catalog.text[]::pg_catalog.jsonb[])";
constexpr const char *adjust_batch_name = "lockstep_adjust_batch";
constexpr const char *adjust_batch_text =
    "SELECT item, request_id, status, sqlstate, balance"
    " FROM lockstep.adjust_batch($1::pg_catalog.regclass, $2::pg_catalog.text[],"
    " $3::pg_catalog.text[]::pg_catalog.numeric[], $4::pg_catalog.uuid[], $5::pg_catalog.bool,"
    " $6::pg_catalog.text[]::pg_catalog.jsonb[])";

booking status_of(const row &answer) {
    const auto status = answer["status"].text();
    if (status == "applied")
        return booking::applied;
    if (status == "replayed")
        return booking::replayed;
    if (status == "refused")
        return booking::refused;
    throw std::runtime_error("the server's lockstep gave the status \"" + std::string(status) +
                             "\", which this client does not know");
}

std::string refusal_of(const row &answer) {
    return answer["sqlstate"].as_optional<std::string>().value_or("");
}

std::optional<booking_time> time_of(const row &answer) {
    const auto microseconds = answer["booked_at"].as_optional<std::int64_t>();
    if (!microseconds)
        return std::nullopt;
    return booking_time(std::chrono::microseconds(*microseconds));
}

transfer_result transfer_result_of(const rows &answer, const call_ids & /*ids*/) {
    const auto only = answer[0];
    return {only["request_id"].as<request_id>(),
            status_of(only),
            refusal_of(only),
            only["amount"].as<amount>(),
            only["from_balance"].as_optional<amount>(),
            only["to_balance"].as_optional<amount>(),
            time_of(only),
            {}};
}

adjust_result adjust_result_of(const rows &answer, const call_ids & /*ids*/) {
    const auto only = answer[0];
    return {only["request_id"].as<request_id>(),
            status_of(only),
            refusal_of(only),
            only["delta"].as<amount>(),
            only["balance"].as_optional<amount>(),
            time_of(only),
            {}};
}

submit_result submit_result_of(const rows &answer, const call_ids &ids) {
    const auto only = answer[0];
    return {ids.all.front(),
            status_of(only),
            refusal_of(only),
            amount_in(only["moved"]).value(),
            amount_in(only["from_balance"]),
            amount_in(only["to_balance"]),
            time_in(only["booked_at"]),
            integer_in(only["group_size"]),
            {}};
}

// A result under another item would be believed, so each is checked: its number and its id.
template <class Result, class Read>
Result in_order(const rows &answer, const call_ids &ids, Read read) {
    if (answer.size() != ids.all.size())
        throw std::runtime_error("the server's lockstep gave " + std::to_string(answer.size()) +
                                 " results for a batch of " + std::to_string(ids.all.size()));
    Result result;
    result.items.reserve(ids.all.size());
    for (std::size_t i = 0; i < ids.all.size(); ++i) {
        const auto one = answer[i];
        if (one["item"].as<std::size_t>() != i + 1 ||
            one["request_id"].as<request_id>() != ids.all[i])
            throw std::runtime_error("the server's lockstep gave the results of a batch in another"
                                     " order, from item " +
                                     std::to_string(i + 1) + " on");
        result.items.push_back(read(ids.all[i], one));
    }
    return result;
}

batch_result batch_result_of(const rows &answer, const call_ids &ids) {
    return in_order<batch_result>(answer, ids, [](const request_id &id, const row &one) {
        return item_result{id, status_of(one), refusal_of(one),
                           one["from_balance"].as_optional<amount>(),
                           one["to_balance"].as_optional<amount>()};
    });
}

adjust_batch_result adjust_batch_result_of(const rows &answer, const call_ids &ids) {
    return in_order<adjust_batch_result>(answer, ids, [](const request_id &id, const row &one) {
        return adjust_item_result{id, status_of(one), refusal_of(one),
                                  one["balance"].as_optional<amount>()};
    });
}

std::optional<std::string_view> text_of(const optional_key &one) {
    if (!one.has_value())
        return std::nullopt;
    return one.text();
}

// At 1 GB the server hangs up without a word.
void require_sendable(std::span<const parameter> parameters) {
    constexpr std::size_t most = (std::size_t{1} << 30) - (std::size_t{1} << 20);
    std::size_t bytes = 0;
    for (const auto &one : parameters)
        bytes += one.text() ? one.text()->size() : 0;
    if (bytes > most)
        throw std::invalid_argument("a batch of 1 GB cannot be sent");
}

// NULL where no item has a memo.
template <class Item>
parameter memos_of(std::span<const Item> items) {
    std::vector<std::optional<std::string_view>> memos;
    if (std::ranges::none_of(items, [](const Item &item) { return item.memo.has_value(); }))
        return nullptr;
    memos.reserve(items.size());
    for (const auto &item : items)
        memos.emplace_back(item.memo);
    return array_of(memos);
}

} // namespace

keyed_call<transfer_result> keyed(const transfer_request &request) {
    call_ids ids;
    ids.add(request.id);
    const auto id = ids.all.front();
    return {std::move(ids),
            true,
            transfer_name,
            transfer_text,
            {request.ledger, request.from_key.text(), request.to_key.text(), request.amount, id,
             request.memo, request.expected_from_version, request.at_most},
            transfer_result_of};
}

keyed_call<adjust_result> keyed(const adjust_request &request) {
    call_ids ids;
    ids.add(request.id);
    const auto id = ids.all.front();
    return {std::move(ids),
            true,
            adjust_name,
            adjust_text,
            {request.ledger, request.key.text(), request.delta, id, request.memo,
             request.expected_version, request.at_most},
            adjust_result_of};
}

keyed_call<submit_result> keyed(const submit_request &request) {
    call_ids ids;
    ids.add(request.id);
    const auto id = ids.all.front();
    return {std::move(ids),
            true,
            submit_name,
            submit_text,
            {request.ledger, text_of(request.from_key), text_of(request.to_key), request.amount, id,
             request.memo, request.at_most},
            submit_result_of,
            answer_form::binary};
}

keyed_call<batch_result> keyed(const batch_request &request, std::span<const transfer_item> items) {
    call_ids ids;
    std::vector<std::optional<std::string_view>> from_keys, to_keys;
    std::vector<std::string_view> amounts;
    from_keys.reserve(items.size());
    to_keys.reserve(items.size());
    amounts.reserve(items.size());
    for (const auto &item : items) {
        ids.add(item.id);
        from_keys.push_back(text_of(item.from_key));
        to_keys.push_back(text_of(item.to_key));
        amounts.push_back(item.amount.text());
    }
    std::vector<parameter> parameters{request.ledger,    array_of(from_keys), array_of(to_keys),
                                      array_of(amounts), array_of(ids.all),   request.atomic,
                                      memos_of(items)};
    require_sendable(parameters);
    return {std::move(ids), !request.atomic,       batch_name,
            batch_text,     std::move(parameters), batch_result_of};
}

keyed_call<adjust_batch_result> keyed(const batch_request &request,
                                      std::span<const adjust_item> items) {
    call_ids ids;
    std::vector<std::string_view> keys, deltas;
    keys.reserve(items.size());
    deltas.reserve(items.size());
    for (const auto &item : items) {
        ids.add(item.id);
        keys.push_back(item.key.text());
        deltas.push_back(item.delta.text());
    }
    std::vector<parameter> parameters{request.ledger,    array_of(keys), array_of(deltas),
                                      array_of(ids.all), request.atomic, memos_of(items)};
    require_sendable(parameters);
    return {std::move(ids),    !request.atomic,       adjust_batch_name,
            adjust_batch_text, std::move(parameters), adjust_batch_result_of};
}

} // namespace detail
} // namespace lockstep
