// lockstep.once_begin, once_finish, once_prune and CALL lockstep.once: work under a request id.
#include "once/once.hpp"
#include "once/call.hpp"
#include "once/request_table.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"
#include "retry/arguments.hpp"

using namespace lockstep;

namespace {

request_key key_argument(FunctionCallInfo fcinfo) {
    return {GetUserId(), uuid_from_datum(required_argument(fcinfo, 0, "request_id"))};
}

std::optional<Datum> fingerprint_argument(FunctionCallInfo fcinfo, int number) {
    constexpr std::size_t most_bytes = 1024;
    if (!argument(fcinfo, number))
        return std::nullopt;
    return text_datum(text_argument(fcinfo, number, "fingerprint", most_bytes).c_str());
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_once_begin) {
    const request_key key = key_argument(fcinfo);
    const auto fingerprint = fingerprint_argument(fcinfo, 1);
    require_writing_allowed("lockstep.once_begin()");
    const auto result = begin_request(key, fingerprint);
    if (!result)
        PG_RETURN_NULL();
    return *result;
}

LOCKSTEP_FUNCTION(lockstep_once_finish) {
    const request_key key = key_argument(fcinfo);
    const Datum result = required_argument(fcinfo, 1, "result");
    require_writing_allowed("lockstep.once_finish()");
    finish_request(key, result);
    PG_RETURN_VOID();
}

LOCKSTEP_FUNCTION(lockstep_once_prune) {
    const Datum older_than = required_argument(fcinfo, 0, "older_than");
    require_writing_allowed("lockstep.once_prune()");
    const bool is_negative = pg_call([older_than] {
        Interval nothing{};
        return DatumGetBool(
            DirectFunctionCall2(interval_lt, older_than, IntervalPGetDatum(&nothing)));
    });
    if (is_negative)
        throw sql_error(state::invalid_parameter_value, "older_than must not be negative");
    PG_RETURN_INT64(static_cast<int64>(delete_finished_before(older_than)));
}

LOCKSTEP_FUNCTION(lockstep_once) {
    constexpr char procedure[] = "lockstep.once";
    const request_key key = key_argument(fcinfo);
    const std::string sql = statement_argument(fcinfo, 1);
    retry_terms terms{};
    terms.procedure = procedure;
    terms.mode.isolation = isolation_level(text_argument(fcinfo, 2, "isolation", 64));
    terms.max_attempts = max_attempts_argument(fcinfo, 3);
    terms.deadline = length_argument(fcinfo, 4, "deadline");
    const text_parameters parameters = parameters_argument(fcinfo, 5);
    require_writing_allowed("CALL lockstep.once()");
    const std::string fingerprint = call_fingerprint(sql, parameters);
    // What the statement drops may be the extension: nothing is looked up after it.
    const TupleDesc columns = row_builder<4>::columns_of(fcinfo);
    require_call_alone(fcinfo, procedure, retrying_call::current());
    leave_transaction_of_call();
    const retrying_call call{procedure};
    once_call work{procedure, key, fingerprint, sql, parameters};
    const retry_outcome outcome = run_with_retries(terms, work);
    begin_plain_transaction();
    row_builder<4> row;
    row.add(Int32GetDatum(outcome.attempts));
    row.add(text_or_null(outcome.last_error));
    row.add(BoolGetDatum(work.is_replayed()));
    row.add(work.result());
    return row.composite(columns);
}
