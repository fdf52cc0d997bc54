// Opens libpq connections with a deadline of our own, and tells the SQLSTATE when that fails.
#pragma once

#include "detail/deadline.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_conn; // libpq's PGconn

namespace lockstep::detail {

struct close_connection {
    void operator()(pg_conn *connection) const noexcept;
};
using raw_connection = std::unique_ptr<pg_conn, close_connection>;

// Where to connect. Thread-safe.
class endpoint {
  public:
    // Throws std::invalid_argument for a connection string that libpq does not understand.
    explicit endpoint(const std::string &conninfo);

    // Throws statement_error, in phase connect. Of several hosts one that does not answer at all
    // uses up the deadline; the next call then begins with the next host. writable: only a session
    // that may write will do, unless the connection string itself says what it wants.
    [[nodiscard]] raw_connection open(time_point deadline, bool writable) const;

  private:
    [[nodiscard]] raw_connection start(std::size_t turn, bool writable) const;

    std::vector<std::pair<std::string, std::string>> settings_;
    mutable std::atomic<std::size_t> turn_ = 0;
};

// The SQLSTATE at the head of a message that libpq wrote with PQERRORS_VERBOSE; empty when there is
// none. Does not depend on the message's language.
[[nodiscard]] std::string sqlstate_in(std::string_view verbose_message);

// The message without the severity and the SQLSTATE before it and the lines after it.
[[nodiscard]] std::string first_sentence(std::string_view verbose_message);

} // namespace lockstep::detail
