#include <lockstep/pool.hpp>

#include "detail/session_pool.hpp"

namespace lockstep {

pool::pool(pool_options options)
    : sessions_(std::make_unique<detail::session_pool>(std::move(options))) {}

pool::~pool() = default;

void pool::close() {
    sessions_->close();
}

pool_stats pool::stats() const {
    return sessions_->stats();
}

namespace detail {

session_pool &sessions_of(pool &home) noexcept {
    return *home.sessions_;
}

} // namespace detail

} // namespace lockstep
