// lockstep.submit: a movement that is committed with those of others.
#include "submit/submit.hpp"
#include "entry/movement_arguments.hpp"
#include "pg/column_value.hpp"
#include "pg/key.hpp"
#include "pg/rows.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"
#include "retry/attempts.hpp"

#include "core/sql_error.hpp"

using namespace lockstep;

namespace {

constexpr char procedure[] = "lockstep.submit";

std::optional<Datum> key_or_null(FunctionCallInfo fcinfo, int number, const char *name,
                                 const key_type &type) {
    if (!argument(fcinfo, number))
        return std::nullopt;
    return key_argument(fcinfo, number, name, type);
}

read_request read_arguments(FunctionCallInfo fcinfo, ledger_cache::use &use) {
    const ledger &known = ledger_argument(use, fcinfo, "CALL lockstep.submit()");
    movement_request request{};
    List *const held = hold_second_key(fcinfo, 2);
    request.from = key_or_null(fcinfo, 1, "from_key", known.key);
    request.to = key_or_null(fcinfo, 2, "to_key", known.key);
    pg_call([held] { release_types(held); });
    if (!request.from && !request.to)
        throw sql_error(state::null_value_not_allowed, "from_key and to_key must not both be null");
    const ledger &target = use.again(known);
    request.amount = checked_amount(
        money_from_numeric(required_argument(fcinfo, 3, "amount"), "amount"), target.amount);
    if (const auto id = argument(fcinfo, 4))
        request.request_id = uuid_from_datum(*id);
    request.memo = argument(fcinfo, 5);
    request.return_refusals = returns_refusals(fcinfo, 6);
    request.at_most = DatumGetBool(required_argument(fcinfo, 7, "at_most"));
    return {&target, request};
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_submit) {
    using result_row = row_builder<7>;
    const TupleDesc columns = result_row::columns_of(fcinfo);
    require_call_alone(fcinfo, procedure, retrying_call::current());
    const submitted done =
        submit([fcinfo](ledger_cache::use &use) { return read_arguments(fcinfo, use); });
    begin_plain_transaction();
    const movement_result &result = done.result;
    result_row row;
    row.add(text_or_null(text_of(result.status)));
    row.add(text_or_null(result.sqlstate));
    row.add(result.amount);
    row.add(result.from_balance);
    row.add(result.to_balance);
    row.add(TimestampTzGetDatum(result.booked_at));
    row.add(Int32GetDatum(done.group_size));
    return row.composite(columns);
}
