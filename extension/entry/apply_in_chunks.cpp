// lockstep.apply_in_chunks, how far such calls are, and the runs that they remember.
#include "activity/sessions.hpp"
#include "chunks/apply.hpp"
#include "chunks/named_run.hpp"
#include "chunks/progress.h"
#include "chunks/queried_keys.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "retry/arguments.hpp"

using namespace lockstep;

namespace {

constexpr char procedure[] = "lockstep.apply_in_chunks";
constexpr std::size_t most_word_bytes = 64;
constexpr std::size_t most_name_bytes = 1000; // as an index takes them

enum argument_number : int {
    a_relation,
    a_keys,
    a_statement,
    a_chunk_size,
    a_params,
    a_strength,
    a_isolation,
    a_max_attempts,
    a_deadline,
    a_report_every,
    a_resume,
    a_key_columns
};

lock_strength strength_argument(FunctionCallInfo fcinfo) {
    const std::string word = text_argument(fcinfo, a_strength, "strength", most_word_bytes);
    const auto strength = strength_of(word);
    // A weaker lock would have to be raised by the statement, out of order.
    if (strength != lock_strength::no_key_update && strength != lock_strength::update)
        throw sql_error(state::invalid_parameter_value, "unknown strength \"" + word + "\"", {},
                        "It is no key update, or update: for a DELETE, and where a key changes.");
    return *strength;
}

std::string run_name_argument(FunctionCallInfo fcinfo, int number, const char *argument_name) {
    std::string name = text_argument(fcinfo, number, argument_name, most_name_bytes);
    if (name.empty())
        throw sql_error(state::invalid_parameter_value,
                        std::string{argument_name} + " must not be empty");
    return name;
}

chunk_request request_of(FunctionCallInfo fcinfo) {
    chunk_request request{};
    request.target.table = DatumGetObjectId(required_argument(fcinfo, a_relation, "relation"));
    request.target.key_columns = names_argument(fcinfo, a_key_columns, "key_columns");
    request.target.strength = strength_argument(fcinfo);
    request.statement = statement_argument(fcinfo, a_statement);
    const int chunk_size = DatumGetInt32(required_argument(fcinfo, a_chunk_size, "chunk_size"));
    if (chunk_size < 1)
        throw sql_error(state::invalid_parameter_value, "chunk_size must be 1 or more");
    request.chunk_size = static_cast<std::size_t>(chunk_size);
    request.params = parameters_argument(fcinfo, a_params);
    request.terms.procedure = procedure;
    request.terms.mode.isolation =
        isolation_level(text_argument(fcinfo, a_isolation, "isolation", most_word_bytes));
    request.terms.max_attempts = max_attempts_argument(fcinfo, a_max_attempts);
    request.terms.deadline = length_argument(fcinfo, a_deadline, "deadline");
    request.report_every = length_argument(fcinfo, a_report_every, "report_every");
    if (argument(fcinfo, a_resume))
        request.resume = run_name_argument(fcinfo, a_resume, "resume");
    return request;
}

const char *phase_name(chunk_phase phase) {
    switch (phase) {
    case CHUNK_SORTING: return "sorting keys";
    case CHUNK_LOCKING: return "locking rows";
    case CHUNK_RUNNING: return "running statement";
    case CHUNK_PAUSING: return "waiting to retry";
    default: return nullptr;
    }
}

// At the pace until now; of this call's own keys.
std::optional<TimestampTz> estimated_end(const chunk_progress &told) {
    const std::int64_t done = told.keys_done - told.keys_skipped;
    if (done <= 0)
        return std::nullopt;
    const auto elapsed = static_cast<double>(GetCurrentTimestamp() - told.started_at);
    const double whole = elapsed / static_cast<double>(done) *
                         static_cast<double>(told.keys_total - told.keys_skipped);
    return told.started_at + static_cast<TimestampTz>(whole);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_apply_in_chunks) {
    using result_row = row_builder<7>;
    const chunk_request request = request_of(fcinfo);
    const array_elements keys = array_argument(fcinfo, a_keys, "keys");
    require_no_nulls(keys, "keys");
    // What the statement drops may be the extension: nothing is looked up after it.
    const TupleDesc columns = result_row::columns_of(fcinfo);
    require_call_alone(fcinfo, procedure, retrying_call::current());
    const retrying_call call{procedure};
    const chunk_outcome done = apply_in_chunks(request, keys);
    begin_plain_transaction();
    result_row row;
    row.add(Int32GetDatum(done.chunks));
    row.add(Int64GetDatum(done.keys));
    row.add(Int64GetDatum(done.rows));
    row.add(Int32GetDatum(done.attempts));
    row.add(Int64GetDatum(done.skipped));
    row.add(Int64GetDatum(done.missing));
    row.add(done.missing_keys.empty() ? column_value{}
                                      : column_value{text_array_datum(done.missing_keys)});
    return row.composite(columns);
}

LOCKSTEP_FUNCTION(lockstep_get_progress_apply_in_chunks) {
    using result_rows = row_builder<14>;
    result_rows::open_set(fcinfo);
    sessions all{true};
    const int count = pg_call([] { return pgstat_fetch_stat_numbackends(); });
    for (int i = 1; i <= count; ++i) {
        const PgBackendStatus *status = pg_call([i] { return version::backend_status(i); });
        chunk_progress told{};
        if (status == nullptr || !lockstep_read_chunk_progress(status, &told))
            continue;
        result_rows row;
        row.add(int_value(status->st_procpid));
        row.add(all.database_name(status->st_databaseid));
        row.add(all.role_name(status->st_userid));
        if (!all.may_see(status->st_userid)) {
            row.add_nulls(11);
            row.append(fcinfo);
            continue;
        }
        row.add(oid_or_null(told.relation));
        row.add(text_or_null(phase_name(told.phase)));
        row.add(Int64GetDatum(told.keys_total));
        row.add(Int64GetDatum(told.keys_done));
        row.add(Int64GetDatum(told.keys_skipped));
        row.add(Int64GetDatum(told.chunks));
        row.add(Int64GetDatum(told.rows));
        row.add(Int64GetDatum(told.attempts));
        row.add(Int64GetDatum(told.missing));
        row.add(moment_value(told.started_at));
        row.add(moment_value(estimated_end(told)));
        row.append(fcinfo);
    }
    return Datum{0};
}

LOCKSTEP_FUNCTION(lockstep_forget_chunk_run) {
    require_writing_allowed("lockstep.forget_chunk_run()");
    const named_run run{run_name_argument(fcinfo, 0, "name")};
    spi_session session;
    const bool was_there = run.forget();
    session.finish();
    return BoolGetDatum(was_there);
}

LOCKSTEP_FUNCTION(lockstep_keys_of) {
    const std::string sql = statement_argument(fcinfo, 0);
    const MemoryContext outside = CurrentMemoryContext;
    spi_session session;
    const Datum keys = keys_of_query(sql, outside);
    session.finish();
    return keys;
}
