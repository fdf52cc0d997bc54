#include "entry/retry_arguments.hpp"

#include "retry/parameters.hpp"

namespace lockstep {

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

} // namespace

retry_request retry_arguments(FunctionCallInfo fcinfo, const char *procedure,
                              const retry_argument_numbers &numbers) {
    constexpr std::size_t most_bytes = std::size_t{1} << 28;
    retry_request request{};
    request.procedure = procedure;
    request.sql = text_argument(fcinfo, numbers.statement, "statement", most_bytes);
    request.mode.isolation =
        isolation_level(text_argument(fcinfo, numbers.isolation, "isolation", 64));
    request.max_attempts =
        DatumGetInt32(required_argument(fcinfo, numbers.max_attempts, "max_attempts"));
    if (request.max_attempts < 1)
        throw sql_error(state::invalid_parameter_value, "max_attempts must be 1 or more");
    request.deadline = deadline_argument(fcinfo, numbers.deadline);
    request.parameters = parameters_argument(fcinfo, numbers.params);
    return request;
}

retry_outcome retry_as_call(FunctionCallInfo fcinfo, const retry_request &request) {
    const auto *call = reinterpret_cast<const CallContext *>(fcinfo->context);
    leave_transaction_of_call(request.procedure,
                              call == nullptr || !IsA(call, CallContext) || call->atomic,
                              retrying_procedure());
    retry_outcome outcome = run_with_retries(request);
    begin_plain_transaction();
    return outcome;
}

std::optional<Datum> text_or_null(const std::optional<std::string> &text) {
    if (!text)
        return std::nullopt;
    return text_datum(text->c_str());
}

} // namespace lockstep
