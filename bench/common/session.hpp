// One connection. A thousand of them wait at the same time in one thread, so a statement can be
// sent now and its answer be read later.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep::bench {

class sql_failure : public std::runtime_error {
  public:
    sql_failure(const std::string &message, std::string sqlstate)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
    [[nodiscard]] const std::string &sqlstate() const noexcept { return sqlstate_; }

  private:
    std::string sqlstate_;
};

class rows {
  public:
    explicit rows(PGresult *result) : result_(result, PQclear) {}

    [[nodiscard]] int count() const { return PQntuples(result_.get()); }
    [[nodiscard]] const char *text(int row, int column) const {
        return PQgetvalue(result_.get(), row, column);
    }
    [[nodiscard]] int integer(int row, int column) const { return std::stoi(text(row, column)); }
    [[nodiscard]] double number(int row, int column) const { return std::stod(text(row, column)); }

  private:
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// A parameter: text, or the binary form of its type.
struct value {
    std::string bytes;
    bool binary = false;
};

class session {
  public:
    session(const std::string &conninfo, const std::string &name);

    // Runs it, and gives the rows of the last statement; throws sql_failure.
    rows run(const std::string &sql);
    rows run(const std::string &sql, const std::string &parameter);

    void prepare(const std::string &name, const std::string &sql);
    // Results come in the types' binary form when that is wanted.
    rows run_prepared(const std::string &name, std::span<const value> values,
                      bool binary_rows = false);

    // COPY ... FROM STDIN, with these lines; throws sql_failure.
    void copy(const std::string &sql, const std::string &lines);

    // Sends it; the answer is read by finish().
    void send(const std::string &sql);
    // Reads all answers to what was sent; throws sql_failure when one is an error.
    void finish();

    // Whether the server is inside a transaction block of ours, a failed one too.
    [[nodiscard]] bool is_in_transaction() const {
        return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
    }
    [[nodiscard]] int pid() const { return PQbackendPID(connection_.get()); }

  private:
    [[nodiscard]] rows checked(PGresult *result) const;

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// Connections that stay open for the next contestant.
class pool {
  public:
    explicit pool(std::string conninfo) : conninfo_(std::move(conninfo)) {}
    // The first so many of them.
    std::span<session> take(std::size_t count);

  private:
    std::string conninfo_;
    std::vector<session> sessions_;
};

} // namespace lockstep::bench
