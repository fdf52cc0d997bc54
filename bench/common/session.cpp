#include "common/session.hpp"

#include <fmt/format.h>

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

void session::prepare(const std::string &name, const std::string &sql) {
    static_cast<void>(checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr)));
}

rows session::run_prepared(const std::string &name, std::span<const value> values,
                           bool binary_rows) {
    std::vector<const char *> bytes;
    std::vector<int> lengths;
    std::vector<int> formats;
    for (const auto &each : values) {
        bytes.push_back(each.bytes.c_str());
        lengths.push_back(static_cast<int>(each.bytes.size()));
        formats.push_back(each.binary ? 1 : 0);
    }
    return checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                  bytes.data(), lengths.data(), formats.data(),
                                  binary_rows ? 1 : 0));
}

void session::copy(const std::string &sql, const std::string &lines) {
    PGresult *const started = PQexec(connection_.get(), sql.c_str());
    const rows held(started);
    if (PQresultStatus(started) != PGRES_COPY_IN)
        throw failure_of(connection_.get(), started);
    if (PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())) != 1 ||
        PQputCopyEnd(connection_.get(), nullptr) != 1)
        throw failure_of(connection_.get(), nullptr);
    finish();
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

std::span<session> pool::take(std::size_t count) {
    while (sessions_.size() < count)
        sessions_.emplace_back(conninfo_, fmt::format("bench {}", sessions_.size()));
    return {sessions_.data(), count};
}

} // namespace lockstep::bench
