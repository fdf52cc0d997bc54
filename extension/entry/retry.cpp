// lockstep.retry: statements as one transaction, again and again until it goes through.
#include "entry/retry_arguments.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

bool flag_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    return DatumGetBool(required_argument(fcinfo, number, name));
}

retry_request request_of(FunctionCallInfo fcinfo) {
    retry_request request = retry_arguments(fcinfo, "lockstep.retry", {0, 1, 2, 3, 4});
    request.mode.read_only = flag_argument(fcinfo, 5, "read_only");
    request.mode.deferrable = flag_argument(fcinfo, 6, "is_deferrable");
    if (request.mode.deferrable &&
        (!request.mode.read_only || strcmp(request.mode.isolation, "serializable") != 0))
        throw sql_error(state::invalid_parameter_value,
                        "is_deferrable needs read_only and the isolation level serializable");
    return request;
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_retry) {
    const retry_request request = request_of(fcinfo);
    // What the statement drops may be the extension: nothing is looked up after it.
    const TupleDesc columns = row_builder<3>::columns_of(fcinfo);
    const retry_outcome outcome = retry_as_call(fcinfo, request);
    row_builder<3> row;
    row.add(Int32GetDatum(outcome.attempts));
    row.add(text_or_null(outcome.last_error));
    row.add(outcome.rows);
    return row.composite(columns);
}
