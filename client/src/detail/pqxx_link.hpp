// libpqxx 6.4, 7.10 and 8.0 behind one small face. libpqxx owns the connection and runs the
// callbacks' own libpqxx code; lockstep's own statements go through the libpq handle below it,
// because libpqxx gives no deadline, hides the SQLSTATE of whatever ends a session, and (7 and 8)
// reports success for a COMMIT that the server answered with ROLLBACK.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

struct pg_conn; // libpq's PGconn

namespace pqxx {
class transaction_base;
}

namespace lockstep::detail {

class pqxx_link {
  public:
    // Takes over an open libpq connection, and closes it in the end. The pointer stays good until
    // then.
    explicit pqxx_link(pg_conn *open);
    ~pqxx_link();
    pqxx_link(const pqxx_link &) = delete;
    pqxx_link &operator=(const pqxx_link &) = delete;

    // A libpqxx transaction that sends neither BEGIN nor COMMIT: those are ours. Made when first
    // asked for, until end_transaction.
    [[nodiscard]] pqxx::transaction_base &transaction();
    void end_transaction() noexcept;

  private:
    struct owned;
    std::unique_ptr<owned> owned_;
};

struct server_report {
    std::string sqlstate; // empty: libpqxx does not tell
    std::string message;
};

// Whether an exception is libpqxx's way of reporting a failure of server or link. Nothing for every
// other exception, libpqxx's own usage and conversion errors among them.
[[nodiscard]] std::optional<server_report> report_of(const std::exception_ptr &thrown);

} // namespace lockstep::detail
