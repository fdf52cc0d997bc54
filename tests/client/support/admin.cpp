#include "admin.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

namespace lockstep::testing {

admin::admin(const std::string &conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(connection_) == CONNECTION_OK)
        return;
    const std::string problem = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw std::runtime_error("admin: " + problem);
}

admin::~admin() {
    PQfinish(connection_);
}

admin::table admin::rows(const std::string &sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult *)> answer(PQexec(connection_, sql.c_str()),
                                                                 PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        throw std::runtime_error("admin: " + sql + ": " + PQerrorMessage(connection_));
    table all;
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
        auto &cells = all.emplace_back();
        for (int column = 0; column < PQnfields(answer.get()); ++column)
            cells.emplace_back(PQgetisnull(answer.get(), row, column) != 0
                                   ? "NULL"
                                   : PQgetvalue(answer.get(), row, column));
    }
    return all;
}

std::string admin::value(const std::string &sql) {
    const auto all = rows(sql);
    if (all.size() != 1 || all[0].size() != 1)
        throw std::runtime_error("admin: " + sql + " did not give one value");
    return all[0][0];
}

void admin::wait_until(const std::string &sql, const std::string &wanted) {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 60s;
    std::string found;
    while ((found = value(sql)) != wanted) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error(std::string("admin: ")
                                         .append(sql)
                                         .append(" stayed ")
                                         .append(found)
                                         .append(", not ")
                                         .append(wanted));
        std::this_thread::sleep_for(2ms);
    }
}

} // namespace lockstep::testing
