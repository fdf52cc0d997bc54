// lockstep.retry: statements as one transaction, again and again until it goes through.
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "retry/attempts.hpp"
#include "retry/parameters.hpp"

using namespace lockstep;

namespace {

using std::chrono::microseconds;

std::optional<microseconds> deadline_argument(FunctionCallInfo fcinfo, int number) {
    const auto given = argument(fcinfo, number);
    if (!given)
        return std::nullopt;
    const Interval *span = DatumGetIntervalP(*given);
    // As the server reckons when it compares intervals.
    const double length = static_cast<double>(span->time) +
                          (static_cast<double>(span->month) * DAYS_PER_MONTH + span->day) *
                              static_cast<double>(USECS_PER_DAY);
    if (length <= 0)
        throw sql_error(state::invalid_parameter_value, "deadline must be longer than nothing");
    constexpr double for_ever = 1e9 * USECS_PER_SEC;
    if (length > for_ever)
        return std::nullopt;
    return microseconds{static_cast<microseconds::rep>(length)};
}

text_parameters parameters_argument(FunctionCallInfo fcinfo, int number) {
    if (!argument(fcinfo, number))
        return {};
    return written_parameters(array_argument(fcinfo, number, "params"));
}

bool flag_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    return DatumGetBool(required_argument(fcinfo, number, name));
}

retry_request request_of(FunctionCallInfo fcinfo) {
    constexpr std::size_t most_bytes = std::size_t{1} << 28;
    retry_request request{};
    request.sql = text_argument(fcinfo, 0, "statement", most_bytes);
    request.mode.isolation = isolation_level(text_argument(fcinfo, 1, "isolation", 64));
    request.max_attempts = DatumGetInt32(required_argument(fcinfo, 2, "max_attempts"));
    if (request.max_attempts < 1)
        throw sql_error(state::invalid_parameter_value, "max_attempts must be 1 or more");
    request.deadline = deadline_argument(fcinfo, 3);
    request.parameters = parameters_argument(fcinfo, 4);
    request.mode.read_only = flag_argument(fcinfo, 5, "read_only");
    request.mode.deferrable = flag_argument(fcinfo, 6, "is_deferrable");
    if (request.mode.deferrable &&
        (!request.mode.read_only || strcmp(request.mode.isolation, "serializable") != 0))
        throw sql_error(state::invalid_parameter_value,
                        "is_deferrable needs read_only and the isolation level serializable");
    return request;
}

std::optional<Datum> text_or_null(const std::optional<std::string> &text) {
    if (!text)
        return std::nullopt;
    return text_datum(text->c_str());
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_retry) {
    const retry_request request = request_of(fcinfo);
    // What the statement drops may be the extension: nothing is looked up after it.
    const TupleDesc columns = row_builder<3>::columns_of(fcinfo);
    const auto *call = reinterpret_cast<const CallContext *>(fcinfo->context);
    leave_transaction_of_call(call == nullptr || !IsA(call, CallContext) || call->atomic,
                              is_retrying());
    const retry_outcome outcome = run_with_retries(request);
    begin_plain_transaction();
    row_builder<3> row;
    row.add(Int32GetDatum(outcome.attempts));
    row.add(text_or_null(outcome.last_error));
    row.add(outcome.rows);
    return row.composite(columns);
}
