// lockstep.retry: statements as one transaction, again and again until it goes through.
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "retry/arguments.hpp"
#include "retry/retried_statement.hpp"

using namespace lockstep;

namespace {

bool flag_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    return DatumGetBool(required_argument(fcinfo, number, name));
}

constexpr char procedure[] = "lockstep.retry";

retry_terms terms_of(FunctionCallInfo fcinfo) {
    retry_terms terms{};
    terms.procedure = procedure;
    terms.mode.isolation = isolation_level(text_argument(fcinfo, 1, "isolation", 64));
    terms.max_attempts = max_attempts_argument(fcinfo, 2);
    terms.deadline = length_argument(fcinfo, 3, "deadline");
    terms.mode.read_only = flag_argument(fcinfo, 5, "read_only");
    terms.mode.deferrable = flag_argument(fcinfo, 6, "is_deferrable");
    if (terms.mode.deferrable &&
        (!terms.mode.read_only || strcmp(terms.mode.isolation, "serializable") != 0))
        throw sql_error(state::invalid_parameter_value,
                        "is_deferrable needs read_only and the isolation level serializable");
    return terms;
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_retry) {
    const std::string sql = statement_argument(fcinfo, 0);
    const retry_terms terms = terms_of(fcinfo);
    const text_parameters parameters = parameters_argument(fcinfo, 4);
    // What the statement drops may be the extension: nothing is looked up after it.
    const TupleDesc columns = row_builder<3>::columns_of(fcinfo);
    require_call_alone(fcinfo, procedure, retrying_call::current());
    leave_transaction_of_call();
    const retrying_call call{procedure};
    retried_statement work{procedure, sql, parameters};
    const retry_outcome outcome = run_with_retries(terms, work);
    begin_plain_transaction();
    row_builder<3> row;
    row.add(Int32GetDatum(outcome.attempts));
    row.add(text_or_null(outcome.last_error));
    row.add(work.rows());
    return row.composite(columns);
}
