#include "crowd.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace lockstep::bench {

void crowd::resize(std::size_t count) {
    if (sessions_.size() > count)
        sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(count), sessions_.end());
    while (sessions_.size() < count)
        sessions_.emplace_back(conninfo_, fmt::format("bench {}", sessions_.size()));
}

void crowd::begin(std::size_t first, std::size_t last, const statement_of &sql) {
    for (std::size_t i = first; i < last; ++i)
        sessions_.at(i).send(sql(i));
}

void crowd::run(std::size_t first, std::size_t last, const statement_of &sql) {
    begin(first, last, sql);
    for (std::size_t i = first; i < last; ++i)
        sessions_.at(i).finish();
}

void crowd::give_up() {
    for (auto &each : sessions_) {
        try {
            each.finish();
        } catch (const sql_failure &failure) {
            // Cancelled, as was meant.
            if (failure.sqlstate() != "57014")
                throw;
        }
    }
    run(0, sessions_.size(), [](std::size_t) { return "ROLLBACK"; });
}

void allow_connections(std::size_t count) {
    // Beside the connections: standard streams, libraries, pipes of programs that are run.
    const rlim_t needed = count + 64;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
        throw std::runtime_error(
            fmt::format("{} connections need as many open files, and the system allows {} (ulimit "
                        "-Hn): ask for fewer --waiters",
                        count, limit.rlim_max));
    limit.rlim_cur = needed;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace lockstep::bench
