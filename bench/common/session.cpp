#include "common/session.hpp"

#include <optional>

namespace lockstep::bench {
namespace {

bool is_fine(const PGresult *result) {
    const auto status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

sql_failure failure_of(const PGconn *connection, const PGresult *result) {
    const char *const state =
        result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const std::string message = PQerrorMessage(connection);
    return {message, state != nullptr ? state : ""};
}

} // namespace

session::session(const std::string &conninfo, const std::string &name)
    : connection_(
          PQconnectdb(
              (conninfo + " options='-c client_min_messages=error' application_name='" + name + "'")
                  .c_str()),
          PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw failure_of(connection_.get(), nullptr);
}

rows session::checked(PGresult *result) const {
    rows held(result);
    if (!is_fine(result))
        throw failure_of(connection_.get(), result);
    return held;
}

rows session::run(const std::string &sql) {
    return checked(PQexec(connection_.get(), sql.c_str()));
}

rows session::run(const std::string &sql, const std::string &parameter) {
    const char *const value = parameter.c_str();
    return checked(
        PQexecParams(connection_.get(), sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0));
}

void session::send(const std::string &sql) {
    if (PQsendQuery(connection_.get(), sql.c_str()) != 1)
        throw failure_of(connection_.get(), nullptr);
}

void session::finish() {
    std::optional<sql_failure> first;
    while (PGresult *const result = PQgetResult(connection_.get())) {
        const rows held(result);
        if (!is_fine(result) && !first)
            first = failure_of(connection_.get(), result);
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw failure_of(connection_.get(), nullptr);
    if (first)
        throw sql_failure(*first);
}

} // namespace lockstep::bench
