// lockstep.transfer and lockstep.adjust: one movement, two legs or one.
#include "entry/movement_arguments.hpp"
#include "pg/call_memory.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"
#include "transfer/batch.hpp"

#include "core/sql_error.hpp"

using namespace lockstep;

namespace {

// Where the arguments that both functions share stand in each.
struct common_positions {
    int request_id, memo, expected_version, on_refusal, at_most;
};

void add_common(movement_request &request, FunctionCallInfo fcinfo, const common_positions &at) {
    if (const auto id = argument(fcinfo, at.request_id))
        request.request_id = uuid_from_datum(*id);
    request.memo = argument(fcinfo, at.memo);
    if (const auto version = argument(fcinfo, at.expected_version))
        request.expected_version = DatumGetInt64(*version);
    request.return_refusals = returns_refusals(fcinfo, at.on_refusal);
    request.at_most = DatumGetBool(required_argument(fcinfo, at.at_most, "at_most"));
}

std::optional<Datum> negated(const std::optional<Datum> &numeric) {
    if (!numeric)
        return std::nullopt;
    const Datum value = *numeric;
    return pg_call([value] { return DirectFunctionCall1(numeric_uminus, value); });
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_transfer) {
    ledger_cache::use use;
    const MemoryContext outside = CurrentMemoryContext;
    const call_memory memory;
    spi_session session;
    memory.enter();
    const ledger &known = ledger_argument(use, fcinfo, "lockstep.transfer()");

    movement_request request{};
    List *const held = hold_second_key(fcinfo, 2);
    request.from = key_argument(fcinfo, 1, "from_key", known.key);
    request.to = key_argument(fcinfo, 2, "to_key", known.key);
    pg_call([held] { release_types(held); });
    const ledger &target = use.again(known);
    request.amount = checked_amount(
        money_from_numeric(required_argument(fcinfo, 3, "amount"), "amount"), target.amount);
    add_common(request, fcinfo, {4, 5, 6, 7, 8});

    const movement_result result = move_one(target, request);
    row_builder<7> row;
    row.add(datum_from_uuid(result.request_id));
    row.add(text_datum(text_of(result.status)));
    row.add(text_or_null(result.sqlstate));
    row.add(result.amount);
    row.add(result.from_balance);
    row.add(result.to_balance);
    row.add(TimestampTzGetDatum(result.booked_at));
    const Datum answer = row.composite(fcinfo, outside);
    use.close();
    session.finish();
    return answer;
}

LOCKSTEP_FUNCTION(lockstep_adjust) {
    ledger_cache::use use;
    const MemoryContext outside = CurrentMemoryContext;
    const call_memory memory;
    spi_session session;
    memory.enter();
    const ledger &known = ledger_argument(use, fcinfo, "lockstep.adjust()");

    movement_request request{};
    const Datum key = key_argument(fcinfo, 1, "key", known.key);
    const ledger &target = use.again(known);
    const money delta = checked_delta(
        money_from_numeric(required_argument(fcinfo, 2, "delta"), "delta"), target.amount);
    const bool takes = delta.is_negative();
    (takes ? request.from : request.to) = key;
    request.amount = takes ? delta.negated() : delta;
    add_common(request, fcinfo, {3, 4, 5, 6, 7});

    const movement_result result = move_one(target, request);
    row_builder<6> row;
    row.add(datum_from_uuid(result.request_id));
    row.add(text_datum(text_of(result.status)));
    row.add(text_or_null(result.sqlstate));
    row.add(takes ? negated(result.amount) : result.amount);
    row.add(takes ? result.from_balance : result.to_balance);
    row.add(TimestampTzGetDatum(result.booked_at));
    const Datum answer = row.composite(fcinfo, outside);
    use.close();
    session.finish();
    return answer;
}
