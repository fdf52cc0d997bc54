// Connecting: what the server says when it refuses, a server that does not answer, several hosts.

#include "server.hpp"

#include "detail/connect.hpp"
#include "detail/session_pool.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;

struct connect_test : server_test {
    event_log log;

    call_options call(std::chrono::milliseconds deadline = 60s) {
        call_options wanted;
        wanted.retry.deadline = deadline;
        wanted.retry.on_retry = log.hook();
        return wanted;
    }

    // The call's error for these words added to the connection string.
    std::string final_state(const std::string &words) {
        auto wanted = options();
        wanted.conninfo += " " + words;
        pool sessions(wanted);
        client caller(sessions);
        try {
            (void)caller.transfer(one_unit(), call());
        } catch (const rejected &failure) {
            EXPECT_EQ(failure.phase(), phase::connect);
            EXPECT_EQ(failure.attempts(), 0);
            return failure.sqlstate();
        }
        return "none";
    }
};

// Listens, takes connections, and never says a word.
class silent_server {
  public:
    silent_server() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr *>(&address), size), 0);
        EXPECT_EQ(listen(listener_, 8), 0);
        EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
    }
    ~silent_server() { close(listener_); }
    silent_server(const silent_server &) = delete;
    silent_server &operator=(const silent_server &) = delete;

    [[nodiscard]] int port() const noexcept { return port_; }

  private:
    int listener_;
    int port_ = 0;
};

TEST_F(connect_test, a_final_refusal_keeps_its_code) {
    EXPECT_EQ(final_state("dbname=nowhere"), "3D000");
    EXPECT_EQ(final_state("user=nobody_of_that_name"), "28000");
    EXPECT_TRUE(log.codes.empty());
}

TEST_F(connect_test, a_setting_that_does_not_exist_is_a_final_answer) {
    auto wanted = options();
    wanted.settings.emplace_back("no_such_setting", "1");
    pool sessions(wanted);
    client caller(sessions);
    try {
        (void)caller.transfer(one_unit(), call());
        FAIL() << "it was set";
    } catch (const rejected &failure) {
        EXPECT_EQ(failure.sqlstate(), "42704");
        EXPECT_EQ(failure.phase(), phase::connect);
    }
}

TEST_F(connect_test, a_full_server_is_tried_again_until_it_has_room) {
    const std::string role = "limited_" + db().name();
    ask().run("CREATE ROLE " + role +
              " LOGIN CONNECTION LIMIT 1;"
              "GRANT SELECT, UPDATE ON account TO " +
              role);
    {
        auto occupant = std::make_optional<admin>(db().conninfo() + " user=" + role);
        auto wanted = options();
        wanted.conninfo += " user=" + role;
        pool sessions(wanted);
        client caller(sessions);
        auto policy = call();
        const auto record = policy.retry.on_retry;
        policy.retry.on_retry = [&](const retry_event &event) {
            record(event);
            occupant.reset();
        };
        const auto result = caller.transfer(one_unit(), policy);
        EXPECT_EQ(result.status, booking::applied);
        EXPECT_EQ(result.call.attempts, 1);
        EXPECT_FALSE(result.call.was_in_doubt);
        EXPECT_GE(log.count("53300"), 1);
        EXPECT_EQ(log.phases.front(), phase::connect);
    }
    ask().run("REVOKE ALL ON account FROM " + role + "; DROP ROLE " + role);
}

TEST_F(connect_test, a_full_server_is_given_up_at_the_deadline_with_its_code) {
    const std::string role = "full_" + db().name();
    ask().run("CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 0");
    {
        auto wanted = options();
        wanted.conninfo += " user=" + role;
        pool sessions(wanted);
        client caller(sessions);
        auto policy = call(2s);
        policy.retry.capacity = {5ms, 20ms};
        try {
            (void)caller.transfer(one_unit(), policy);
            FAIL() << "there was room";
        } catch (const gave_up &failure) {
            EXPECT_EQ(failure.sqlstate(), "53300");
            EXPECT_EQ(failure.why(), gave_up::reason::deadline);
            EXPECT_EQ(failure.attempts(), 0);
        }
        for (const auto &event : log.events)
            EXPECT_LT(event.elapsed + event.wait, policy.retry.deadline);
    }
    ask().run("DROP ROLE " + role);
}

TEST_F(connect_test, where_nobody_listens_it_is_given_up_at_the_deadline) {
    auto wanted = options();
    wanted.conninfo = "host=127.0.0.1 port=1 user=postgres dbname=postgres";
    pool sessions(wanted);
    client caller(sessions);
    try {
        (void)caller.transfer(one_unit(), call(300ms));
        FAIL() << "somebody listened";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.sqlstate(), "");
        EXPECT_EQ(failure.phase(), phase::connect);
    }
    EXPECT_EQ(sessions.stats().size, 0U);
}

TEST_F(connect_test, a_server_that_never_answers_is_left_at_the_connect_timeout) {
    silent_server silent;
    auto wanted = options();
    wanted.connect_timeout = 30ms;
    wanted.conninfo = "host=127.0.0.1 port=" + std::to_string(silent.port()) +
                      " user=postgres dbname=postgres sslmode=disable gssencmode=disable";
    pool sessions(wanted);
    client caller(sessions);
    try {
        (void)caller.transfer(one_unit(), call(2s));
        FAIL() << "it answered";
    } catch (const gave_up &failure) {
        EXPECT_EQ(failure.phase(), phase::connect);
        EXPECT_EQ(failure.attempts(), 0);
    }
    EXPECT_GE(log.events.size(), 2U); // not one long wait
}

TEST_F(connect_test, a_silent_host_does_not_hide_the_next_one) {
    silent_server silent;
    auto wanted = options();
    wanted.connect_timeout = 1s;
    wanted.conninfo = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(silent.port()) + "," +
                      std::to_string(server_port()) + " user=postgres dbname=" + db().name() +
                      " sslmode=disable gssencmode=disable";
    pool sessions(wanted);
    client caller(sessions);
    const auto result = caller.transfer(one_unit(), call());
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(log.phases, std::vector<phase>{phase::connect});
}

TEST(connect_messages, give_code_and_sentence_in_any_language) {
    using detail::first_sentence;
    using detail::sqlstate_in;
    const std::string english = "connection to server at \"h\", port 1 failed: FATAL:  53300: too "
                                "many connections for role \"x\"\nLOCATION:  InitPostgres";
    EXPECT_EQ(sqlstate_in(english), "53300");
    EXPECT_EQ(first_sentence(english), "too many connections for role \"x\"");
    EXPECT_EQ(sqlstate_in("FEHLER:  23505: doppelter Schlüsselwert"), "23505");
    EXPECT_EQ(sqlstate_in("could not connect: Connection refused"), "");
    EXPECT_EQ(first_sentence("server closed the connection\n\tThis probably means"),
              "server closed the connection");
    // What a function raised may look like a code, but only the first place is the server's.
    EXPECT_EQ(sqlstate_in("ERROR:  P0001: it said:  40001: haha\n"), "P0001");
    EXPECT_EQ(sqlstate_in("ERROR:  p0001: x"), "");
    EXPECT_EQ(sqlstate_in("ERROR:  P000"), "");
    EXPECT_EQ(sqlstate_in(""), "");
}

} // namespace
