#include "pg/spi.hpp"

#include "core/sql_error.hpp"

namespace lockstep {

namespace {

[[noreturn]] void refuse(int code) {
    if (code == SPI_ERROR_TRANSACTION)
        throw sql_error(state::invalid_transaction_termination,
                        "a statement must not begin or end a transaction here");
    if (code == SPI_ERROR_COPY)
        throw sql_error(state::feature_not_supported,
                        "COPY from or to the client is not possible here");
    const char *text = pg_call([code] { return SPI_result_code_string(code); });
    throw sql_error(state::internal_error, std::string{"SPI: "} + text);
}

uint64 run_once(const std::string &sql, bool read_only) {
    const char *text = sql.c_str();
    const int code = pg_call([=] { return SPI_execute(text, read_only, 0); });
    if (code < 0)
        refuse(code);
    return SPI_processed;
}

} // namespace

SPIPlanPtr prepare_once(const char *sql, std::span<const Oid> types, int options) {
    // SPI takes the types as an array that it does not change.
    auto *first = const_cast<Oid *>(types.data());
    const int count = static_cast<int>(types.size());
    SPIPlanPtr plan = pg_call([=] { return SPI_prepare_cursor(sql, count, first, options); });
    if (plan == nullptr)
        refuse(pg_call([] { return SPI_result; }));
    return plan;
}

SPIPlanPtr prepare_kept(const char *sql, std::span<const Oid> types, int options) {
    SPIPlanPtr plan = prepare_once(sql, types, options);
    pg_call([plan] { SPI_keepplan(plan); });
    return plan;
}

uint64 execute(SPIPlanPtr plan, const spi_parameters &parameters, long max_rows) {
    auto *values = const_cast<Datum *>(parameters.values());
    const char *nulls = parameters.nulls();
    const int code =
        pg_call([=] { return SPI_execute_plan(plan, values, nulls, false, max_rows); });
    if (code < 0)
        refuse(code);
    return SPI_processed;
}

uint64 execute(const std::string &sql) {
    return run_once(sql, false);
}

uint64 query(const std::string &sql) {
    return run_once(sql, true);
}

std::optional<Datum> cell(uint64 row, int column) {
    bool is_null = true;
    const Datum value = pg_call([&is_null, row, column] {
        return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
    });
    if (is_null)
        return std::nullopt;
    return value;
}

} // namespace lockstep
