// A plain libpq session for the tests' own questions: it shares no code with the client under test.
#pragma once

#include <string>
#include <vector>

struct pg_conn;

namespace lockstep::testing {

class admin {
  public:
    explicit admin(const std::string &conninfo);
    ~admin();
    admin(const admin &) = delete;
    admin &operator=(const admin &) = delete;

    using table = std::vector<std::vector<std::string>>; // NULL reads as "NULL"

    // Any number of statements; the last one's rows. Throws std::runtime_error.
    table rows(const std::string &sql);
    // The only value of the only row.
    std::string value(const std::string &sql);
    void run(const std::string &sql) { rows(sql); }

    // Asks again and again until the value is as wanted; throws after a minute. For conditions that
    // the server reaches by itself.
    void wait_until(const std::string &sql, const std::string &wanted);

  private:
    pg_conn *connection_;
};

} // namespace lockstep::testing
