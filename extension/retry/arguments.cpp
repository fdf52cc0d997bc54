#include "retry/arguments.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "retry/parameters.hpp"

namespace lockstep {

using std::chrono::microseconds;

std::string statement_argument(FunctionCallInfo fcinfo, int number) {
    constexpr std::size_t most_bytes = std::size_t{1} << 28;
    return text_argument(fcinfo, number, "statement", most_bytes);
}

int max_attempts_argument(FunctionCallInfo fcinfo, int number) {
    const int most = DatumGetInt32(required_argument(fcinfo, number, "max_attempts"));
    if (most < 1)
        throw sql_error(state::invalid_parameter_value, "max_attempts must be 1 or more");
    return most;
}

std::optional<microseconds> length_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    const auto given = argument(fcinfo, number);
    if (!given)
        return std::nullopt;
    const Interval *span = DatumGetIntervalP(*given);
    // As the server reckons when it compares intervals.
    const double length = static_cast<double>(span->time) +
                          (static_cast<double>(span->month) * DAYS_PER_MONTH + span->day) *
                              static_cast<double>(USECS_PER_DAY);
    if (length <= 0)
        throw sql_error(state::invalid_parameter_value,
                        std::string{name} + " must be longer than nothing");
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

} // namespace lockstep
