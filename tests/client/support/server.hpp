// The server that the tests of the client share, and what each test gets of it: a database of its
// own with the extension and a ledger, and the check that everything was applied exactly once.
#pragma once

#include "admin.hpp"

#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep {

// For the names of tests.
inline void PrintTo(isolation level, std::ostream *out) {
    *out << (level == isolation::read_committed    ? "read_committed"
             : level == isolation::repeatable_read ? "repeatable_read"
                                                   : "serializable");
}

} // namespace lockstep

namespace lockstep::testing {

// ctest starts one server for all tests and says where (LOCKSTEP_TEST_SERVER). A test program that
// is run by hand starts its own, once.
struct server_address {
    std::string socket_folder;
    int port;
};
server_address shared_server();

// A database on a server, with lockstep and the ledger account (id bigint, balance bigint): rows 1
// to 8, 1000 each, floor 0. Dropped with the object.
class ledger_database {
  public:
    explicit ledger_database(server_address server);
    ~ledger_database();
    ledger_database(const ledger_database &) = delete;
    ledger_database &operator=(const ledger_database &) = delete;

    // Through the Unix socket, or through a TCP port on the loopback (the server's own, or a
    // proxy's).
    [[nodiscard]] std::string conninfo() const;
    [[nodiscard]] std::string conninfo(int port) const;

    [[nodiscard]] const std::string &name() const noexcept { return name_; }
    [[nodiscard]] admin &ask() noexcept { return *admin_; }
    // The admin's session ends, and begins anew, around a restart of the server.
    void leave() { admin_.reset(); }
    void reconnect();

    // The invariants: the sum of all amounts, every amount against its journal, every acknowledged
    // id in the journal once, and verify_ledger. Empty when they hold, else what is wrong.
    [[nodiscard]] std::string violations(const std::vector<request_id> &acknowledged);
    // Booked movements, whatever their ids.
    [[nodiscard]] int booked();

  private:
    server_address server_;
    std::string name_;
    std::unique_ptr<admin> admin_;
};

// The fixture of all tests that use the shared server.
class server_test : public ::testing::Test {
  protected:
    [[nodiscard]] ledger_database &db() noexcept { return database_; }
    [[nodiscard]] admin &ask() noexcept { return database_.ask(); }
    [[nodiscard]] pool_options options(std::size_t max_size = 4) const;
    [[nodiscard]] pool_options options_through(int port, std::size_t max_size = 4) const;
    [[nodiscard]] int server_port() const noexcept { return server_.port; }

  private:
    server_address server_ = shared_server();
    ledger_database database_{server_};
};

// A transfer of one unit from row 1 to row 2.
transfer_request one_unit();

// Of a test's random choices, printed: LOCKSTEP_SEED repeats them, else another one each time.
unsigned printed_seed();

// Records what a call went through.
struct event_log {
    std::vector<retry_event> events; // without the texts' lifetime: see the copies below
    std::vector<std::string> codes;
    std::vector<phase> phases;

    [[nodiscard]] std::function<void(const retry_event &)> hook();
    [[nodiscard]] int count(const std::string &code) const;
};

} // namespace lockstep::testing
