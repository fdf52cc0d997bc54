#include "detail/session_pool.hpp"

#include "detail/random.hpp"

#include <lockstep/core/backoff.hpp>

#include <algorithm>
#include <stdexcept>

namespace lockstep::detail {
namespace {

using namespace std::chrono_literals;

// How long giving back and looking after a session may take at most.
constexpr auto housekeeping = 1s;

pool_options checked(pool_options options) {
    if (options.max_size == 0)
        throw std::invalid_argument("a pool needs at least one session");
    for (const auto limit :
         {options.acquire_timeout, options.connect_timeout, options.max_idle, options.max_lifetime})
        if (limit <= 0ms)
            throw std::invalid_argument("a pool's time limits are longer than zero");
    return options;
}

template <class Error>
[[noreturn]] void refuse(const std::string &message) {
    error_facts facts;
    facts.where = phase::connect;
    throw Error(message, std::move(facts));
}

} // namespace

session_pool::session_pool(pool_options options)
    : options_(checked(std::move(options))), endpoint_(options_.conninfo) {}

session_pool::~session_pool() {
    close();
    std::unique_lock held(mutex_);
    returned_.wait(held, [this] { return size_ == 0; });
}

session_pool::lease session_pool::acquire(time_point deadline) {
    const auto give_up = std::min(deadline, after(options_.acquire_timeout));
    std::unique_lock held(mutex_);
    if (closed_)
        refuse<pool_closed>("the pool is closed");
    std::unique_ptr<pooled_session> found;
    if (!waiters_.empty() || (idle_.empty() && size_ == options_.max_size)) {
        found = wait_in_turn(held, give_up);
    } else if (!idle_.empty()) {
        found = std::move(idle_.back());
        idle_.pop_back();
    } else {
        ++size_;
    }
    held.unlock();
    // From here on a slot is ours, with a session in it or without.
    try {
        while (found != nullptr) {
            if ((found = usable_or_null(std::move(found), deadline)))
                return {*this, std::move(found)};
            const std::lock_guard again(mutex_);
            if (idle_.empty())
                break;
            found = std::move(idle_.back());
            idle_.pop_back();
            hand_over_slot(); // that session has its own
        }
        return {*this, connect(std::min(deadline, after(options_.connect_timeout)))};
    } catch (...) {
        const std::lock_guard again(mutex_);
        hand_over_slot();
        throw;
    }
}

std::unique_ptr<pooled_session> session_pool::wait_in_turn(std::unique_lock<std::mutex> &held,
                                                           time_point deadline) {
    if (waiters_.size() >= options_.max_waiting)
        refuse<pool_timeout>("all sessions are in use, and enough callers wait for one");
    waiter self;
    waiters_.push_back(&self);
    self.wake.wait_until(held, deadline,
                         [&] { return self.given != nullptr || self.may_connect || closed_; });
    // What was given counts, even when it came with the deadline; a closed pool gives nothing.
    if (self.given != nullptr || self.may_connect)
        return std::move(self.given);
    std::erase(waiters_, &self);
    if (closed_)
        refuse<pool_closed>("the pool is closed");
    refuse<pool_timeout>("no session came free in time");
}

// A session that may be lent out, or nothing: then it is closed already, and its slot still taken.
std::unique_ptr<pooled_session>
session_pool::usable_or_null(std::unique_ptr<pooled_session> candidate, time_point deadline) {
    bool must_write = false;
    std::uint64_t losses = 0;
    {
        const std::lock_guard held(mutex_);
        must_write = writable_required_;
        losses = lost_;
    }
    const auto now = clock::now();
    session &it = candidate->session;
    if (candidate->ends <= now || candidate->last_used + options_.max_idle <= now)
        return nullptr;
    bool well = it.alive_now();
    if (well && must_write && it.is_read_only())
        return nullptr;
    // Another session was lost since this one was last used: whatever took it may have taken this
    // one in a way that no packet tells.
    if (well && candidate->generation != losses) {
        try {
            it.simple("", std::min(deadline, after(housekeeping)));
        } catch (const statement_error &) {
            well = false;
        }
    }
    if (well) {
        candidate->generation = losses;
        return candidate;
    }
    const std::lock_guard held(mutex_);
    ++lost_;
    return nullptr;
}

std::unique_ptr<pooled_session> session_pool::connect(time_point deadline) {
    bool must_write = false;
    std::uint64_t losses = 0;
    {
        const std::lock_guard held(mutex_);
        must_write = writable_required_;
        losses = lost_;
    }
    auto opened =
        std::make_unique<pooled_session>(endpoint_.open(deadline, must_write), options_, deadline);
    const auto lifetime =
        std::chrono::duration_cast<std::chrono::microseconds>(options_.max_lifetime);
    opened->ends = after(lifetime - full_jitter({lifetime / 10, lifetime / 10}, 0, random_bits()));
    opened->generation = losses;
    const std::lock_guard held(mutex_);
    ++opened_;
    return opened;
}

void session_pool::take_back(std::unique_ptr<pooled_session> used) noexcept {
    session &it = used->session;
    it.end_native();
    const auto state = it.state();
    if (state == session_state::open || state == session_state::failed) {
        try {
            it.simple("ROLLBACK", after(housekeeping));
        } catch (...) { // NOLINT(bugprone-empty-catch): a failed rollback shows in the state
        }
    }
    const bool well = it.state() == session_state::idle;
    const auto now = clock::now();
    used->last_used = now;
    // Closed before its slot is given on: the server counts sessions too.
    if (!well || used->ends <= now)
        used.reset();
    std::vector<std::unique_ptr<pooled_session>> ended; // closed after the lock is released
    const std::lock_guard held(mutex_);
    if (!well)
        ++lost_;
    if (used == nullptr || closed_) {
        if (used != nullptr)
            ended.push_back(std::move(used));
        hand_over_slot();
        return;
    }
    used->generation = lost_; // it answered just now
    if (!waiters_.empty()) {
        waiter *const first = waiters_.front();
        waiters_.pop_front();
        first->given = std::move(used);
        first->wake.notify_one();
    } else {
        idle_.push_back(std::move(used));
        ended = too_old(now);
    }
}

// Gives the slot of a session that is gone to the first caller in the queue. Called with the lock
// held.
void session_pool::hand_over_slot() {
    if (!waiters_.empty() && !closed_) {
        waiter *const first = waiters_.front();
        waiters_.pop_front();
        first->may_connect = true;
        first->wake.notify_one();
        return;
    }
    --size_;
    returned_.notify_all();
}

// Takes out the sessions that have been idle too long. Called with the lock held.
std::vector<std::unique_ptr<pooled_session>> session_pool::too_old(time_point now) {
    std::vector<std::unique_ptr<pooled_session>> ended;
    while (!idle_.empty() && idle_.front()->last_used + options_.max_idle <= now) {
        ended.push_back(std::move(idle_.front()));
        idle_.pop_front();
        hand_over_slot();
    }
    return ended;
}

void session_pool::require_writable() {
    const std::lock_guard held(mutex_);
    writable_required_ = true;
}

bool session_pool::pause(std::chrono::microseconds duration) {
    std::unique_lock held(mutex_);
    return !closing_.wait_until(held, after(duration), [this] { return closed_; });
}

void session_pool::close() {
    std::deque<std::unique_ptr<pooled_session>> ended;
    const std::lock_guard held(mutex_);
    closed_ = true;
    ended.swap(idle_);
    size_ -= ended.size();
    for (waiter *each : waiters_)
        each->wake.notify_one();
    closing_.notify_all();
    returned_.notify_all();
}

pool_stats session_pool::stats() const {
    const std::lock_guard held(mutex_);
    return {size_, idle_.size(), waiters_.size(), opened_, lost_};
}

} // namespace lockstep::detail
