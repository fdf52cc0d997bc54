// The pool behind lockstep::pool: who gets which session when, and which sessions may go on living.
// Thread-safe. Knows sessions, not libpq.
#pragma once

#include <lockstep/pool.hpp>

#include "detail/connect.hpp"
#include "detail/deadline.hpp"
#include "detail/session.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace lockstep::detail {

// A session of the pool, with what only the pool cares about.
struct pooled_session {
    pooled_session(raw_connection connection, const pool_options &options, time_point deadline)
        : session(std::move(connection), options.settings, options.on_notice, deadline) {}

    detail::session session;
    time_point ends{};            // max_lifetime, less its jitter
    time_point last_used{};       // since when it is idle
    std::uint64_t generation = 0; // losses of the pool when it was last known to be well
};

class session_pool {
  public:
    explicit session_pool(pool_options options);
    ~session_pool();
    session_pool(const session_pool &) = delete;
    session_pool &operator=(const session_pool &) = delete;

    // A session lent out; comes back when this is destroyed. A transaction that is still open is
    // then rolled back, within a second.
    class lease {
      public:
        lease(session_pool &home, std::unique_ptr<pooled_session> lent) noexcept
            : home_(&home), lent_(std::move(lent)) {}
        lease(lease &&) noexcept = default;
        lease &operator=(lease &&) = delete;
        ~lease() {
            if (lent_)
                home_->take_back(std::move(lent_));
        }

        session &operator*() const noexcept { return lent_->session; }
        session *operator->() const noexcept { return &lent_->session; }

      private:
        session_pool *home_;
        std::unique_ptr<pooled_session> lent_;
    };

    // Waits for a session until the deadline, or the pool's own acquire_timeout. Throws
    // pool_timeout, pool_closed, or statement_error in phase connect.
    [[nodiscard]] lease acquire(time_point deadline);

    // From now on only sessions that may write are lent out: a server turned out to be read only.
    void require_writable();

    // A pause with no session in hand; false, and at once, when the pool is closed.
    bool pause(std::chrono::microseconds duration);

    void close();
    [[nodiscard]] pool_stats stats() const;

  private:
    // One caller in the queue. Whoever frees something gives it to the first one, so that nobody
    // who comes later can snatch it.
    struct waiter {
        std::condition_variable wake;
        std::unique_ptr<pooled_session> given;
        bool may_connect = false;
    };

    std::unique_ptr<pooled_session> wait_in_turn(std::unique_lock<std::mutex> &held,
                                                 time_point deadline);
    std::unique_ptr<pooled_session> usable_or_null(std::unique_ptr<pooled_session> candidate,
                                                   time_point deadline);
    std::unique_ptr<pooled_session> connect(time_point deadline);
    void take_back(std::unique_ptr<pooled_session> used) noexcept;
    void hand_over_slot();
    [[nodiscard]] std::vector<std::unique_ptr<pooled_session>> too_old(time_point now);

    const pool_options options_;
    const endpoint endpoint_;

    mutable std::mutex mutex_;
    std::condition_variable closing_;                  // pauses end when the pool is closed
    std::condition_variable returned_;                 // the destructor waits for what is lent
    std::deque<std::unique_ptr<pooled_session>> idle_; // the one used last is at the back
    std::deque<waiter *> waiters_;
    std::size_t size_ = 0; // sessions idle, lent, or being connected
    std::uint64_t opened_ = 0;
    std::uint64_t lost_ = 0; // also the generation
    bool writable_required_ = false;
    bool closed_ = false;
};

} // namespace lockstep::detail
