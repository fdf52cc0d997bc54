// A bounded pool of sessions. Thread-safe: share one between all threads of a program. The pool
// owns its sessions; a client borrows them one call at a time.
//
// A caller that finds no session free waits in turn, no longer than acquire_timeout and its own
// deadline, and not behind more than max_waiting others. The session used last is given first, so
// that the rest may grow idle and be closed. Before a session is given it is looked at, without a
// round trip: one that was ended while idle is replaced, and costs the caller no attempt. Once a
// session was lost, each that was idle by then also has to answer a ping.
//
// Sessions need a server, or a pooler in session mode: prepared statements and session settings are
// kept between calls.
#pragma once

#include <lockstep/core/export.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

class pool;

namespace detail {
class session_pool;
session_pool &sessions_of(pool &home) noexcept;
} // namespace detail

struct pool_options {
    // libpq's connection string or URI. Where it does not say otherwise: application_name lockstep,
    // keepalives after 10 s, tcp_user_timeout 15 s.
    std::string conninfo;

    std::size_t max_size = 8;
    std::size_t max_waiting = 256;

    std::chrono::milliseconds acquire_timeout{2000};
    // For one connection, all hosts of the connection string together. Looking up a host's name may
    // take longer: libpq does it in one go.
    std::chrono::milliseconds connect_timeout{3000};
    std::chrono::milliseconds max_idle{std::chrono::minutes{5}};
    // Up to a tenth less, at random, so that sessions made together do not end together.
    std::chrono::milliseconds max_lifetime{std::chrono::hours{1}};

    // Set in each new session, in order. The first keeps a program that hangs in a callback from
    // holding its locks for ever.
    std::vector<std::pair<std::string, std::string>> settings{
        {"idle_in_transaction_session_timeout", "60s"}};

    // The server's notices and warnings. Called in whichever thread uses the session; not to throw.
    std::function<void(std::string_view message)> on_notice = {};
};

struct pool_stats {
    std::size_t size;     // sessions, and connections under way
    std::size_t idle;     // of these, free
    std::size_t waiting;  // callers in the queue
    std::uint64_t opened; // sessions since the pool was made
    std::uint64_t lost;   // of these, ended by the server, the network or a deadline
};

class LOCKSTEP_EXPORT pool {
  public:
    // Opens no session yet. Throws std::invalid_argument for a connection string or limits that
    // cannot be meant.
    explicit pool(pool_options options);

    // Closes, then waits until every session is back. Calls of other threads must have ended by
    // then; close() makes them end.
    ~pool();

    pool(const pool &) = delete;
    pool &operator=(const pool &) = delete;

    // Ends idle sessions now and the others when they come back. Callers that wait, and later ones,
    // get pool_closed.
    void close();

    [[nodiscard]] pool_stats stats() const;

  private:
    friend detail::session_pool &detail::sessions_of(pool &home) noexcept;
    std::unique_ptr<detail::session_pool> sessions_;
};

} // namespace lockstep
