#include "shapes.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace lockstep::bench {
namespace {

constexpr auto *prepared_name = "lockstep bench";

std::string change_row(std::size_t id) {
    return fmt::format("UPDATE bench_row SET amount = amount + 1 WHERE id = {}", id);
}

std::string begin_and_change_row(std::size_t id) {
    return "BEGIN; " + change_row(id);
}

std::string lock_in_some_mode(std::size_t i) {
    constexpr std::array modes{
        "ACCESS SHARE", "ROW SHARE",           "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
        "SHARE",        "SHARE ROW EXCLUSIVE", "EXCLUSIVE",     "ACCESS EXCLUSIVE"};
    return fmt::format("BEGIN; LOCK TABLE bench_table IN {} MODE", modes.at(i % modes.size()));
}

} // namespace

const std::vector<shape> &all_shapes() {
    static const std::vector<shape> shapes{shape::hot_row,  shape::chain,    shape::table_queue,
                                           shape::advisory, shape::prepared, shape::pairs};
    return shapes;
}

std::string name_of(shape which) {
    switch (which) {
    case shape::hot_row: return "hot-row";
    case shape::chain: return "chain";
    case shape::table_queue: return "table-queue";
    case shape::advisory: return "advisory";
    case shape::prepared: return "prepared";
    case shape::pairs: return "pairs";
    }
    return "";
}

std::string told(shape which) {
    switch (which) {
    case shape::hot_row: return "N sessions change the row that one has changed";
    case shape::chain: return "N sessions, each waits for the row of the one before";
    case shape::table_queue: return "N sessions lock, in all eight modes, a table that one holds";
    case shape::advisory: return "N sessions ask for the advisory lock that one holds";
    case shape::prepared: return "N sessions change the row that a prepared transaction changed";
    case shape::pairs: return "N sessions, each waits for the row of another one of its own";
    }
    return "";
}

shape shape_named(const std::string &name) {
    for (const auto each : all_shapes())
        if (name_of(each) == name)
            return each;
    throw std::invalid_argument("there is no shape \"" + name + "\"");
}

std::size_t sessions_for(shape which, int waiters) {
    const auto count = static_cast<std::size_t>(waiters);
    return which == shape::pairs ? 2 * count : count + 1;
}

void make_tables(session &admin, int most_waiters) {
    admin.run("CREATE TABLE bench_row (id integer PRIMARY KEY, amount bigint NOT NULL)");
    admin.run(fmt::format("INSERT INTO bench_row SELECT id, 0 FROM generate_series(0, {}) AS id",
                          most_waiters));
    admin.run("VACUUM ANALYZE bench_row");
    admin.run("CREATE TABLE bench_table (id integer)");
}

frozen_state::frozen_state(session &admin, crowd &sessions, shape which, int waiters)
    : admin_(admin), sessions_(sessions), shape_(which),
      waiters_(static_cast<std::size_t>(waiters)) {
    sessions_.resize(sessions_for(which, waiters));
    try {
        build();
        wait_until_all_wait();
    } catch (...) {
        dissolve();
        throw;
    }
}

frozen_state::~frozen_state() {
    try {
        dissolve();
    } catch (...) { // NOLINT(bugprone-empty-catch): the server is removed soon
    }
}

// The holder is session 0, in pairs the first half.
void frozen_state::build() {
    const auto last = sessions_.size();
    const auto advisory = [](std::size_t) { return "BEGIN; SELECT pg_advisory_xact_lock(1)"; };
    const auto hot = [](std::size_t) { return begin_and_change_row(0); };
    switch (shape_) {
    case shape::hot_row:
        sessions_.run(0, 1, hot);
        sessions_.begin(1, last, hot);
        break;
    case shape::chain:
        sessions_.run(0, last, begin_and_change_row);
        sessions_.begin(1, last, [](std::size_t i) { return change_row(i - 1); });
        break;
    case shape::table_queue:
        sessions_.run(0, 1, [](std::size_t) { return lock_in_some_mode(7); });
        sessions_.begin(1, last, lock_in_some_mode);
        break;
    case shape::advisory:
        sessions_.run(0, 1, advisory);
        sessions_.begin(1, last, advisory);
        break;
    case shape::prepared:
        admin_.run(begin_and_change_row(0));
        admin_.run(fmt::format("PREPARE TRANSACTION '{}'", prepared_name));
        sessions_.begin(1, last, hot);
        break;
    case shape::pairs:
        sessions_.run(0, waiters_, begin_and_change_row);
        sessions_.begin(waiters_, last,
                        [this](std::size_t i) { return begin_and_change_row(i - waiters_); });
        break;
    }
}

int frozen_state::waiting() const {
    return admin_.run("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted").integer(0, 0);
}

// Both: pg_stat_activity hears of a wait a moment after the lock manager.
void frozen_state::wait_until_all_wait() {
    using std::chrono::steady_clock;
    const auto deadline = steady_clock::now() + std::chrono::minutes(2);
    const auto wanted = static_cast<int>(waiters_);
    for (;;) {
        const auto seen = waiting();
        if (seen == wanted && admin_.run("SELECT count(*) FROM pg_catalog.pg_stat_activity"
                                         " WHERE wait_event_type = 'Lock'")
                                      .integer(0, 0) == wanted)
            return;
        if (steady_clock::now() > deadline)
            throw std::runtime_error(fmt::format("{}: {} sessions should wait, and {} do",
                                                 name_of(shape_), wanted, seen));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void frozen_state::check_still() const {
    if (const auto seen = waiting(); seen != static_cast<int>(waiters_))
        throw std::runtime_error(
            fmt::format("{}: {} sessions waited, and now {} do", name_of(shape_), waiters_, seen));
}

// Who got the lock because the one before was cancelled is finished, or is cancelled in the next
// turn.
void frozen_state::dissolve() {
    do {
        admin_.run("SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_locks"
                   " WHERE NOT granted");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (waiting() > 0);
    sessions_.give_up();
    if (shape_ == shape::prepared &&
        admin_.run("SELECT 1 FROM pg_catalog.pg_prepared_xacts").count() > 0)
        admin_.run(fmt::format("ROLLBACK PREPARED '{}'", prepared_name));
}

// One session's, of two keys, so that they are nobody else's.
void other_locks::take(int count) {
    holder_.run(fmt::format(
        "SELECT count(pg_catalog.pg_advisory_lock(1, key)) FROM generate_series(1, {}) AS key",
        count));
}

void other_locks::release() {
    holder_.run("SELECT pg_catalog.pg_advisory_unlock_all()");
}

} // namespace lockstep::bench
