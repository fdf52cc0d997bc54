#include "load.hpp"

#include <random>
#include <thread>

namespace lockstep::demo {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// The sessions of the load, and no others, carry this name: the helper finds them by it.
constexpr const char *application_name = "lockstep demo";

} // namespace

outcome load::run(const std::atomic<bool> &stop,
                  const std::function<void(const progress &)> &show) {
    pool_options of_load;
    of_load.conninfo = conninfo_ + " application_name='" + application_name + "'";
    of_load.max_size = static_cast<std::size_t>(wanted_.threads);
    pool sessions(of_load);
    client caller(sessions);
    stop_ = &stop;
    begun_ = steady_clock::now();
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(wanted_.threads) + 1);
    for (int i = 0; i < wanted_.threads; ++i)
        threads.emplace_back([&, i] { transfer_until_over(caller, i); });
    if (wanted_.kill_every > 0ms)
        threads.emplace_back([&] { kill_until_over(); });
    while (!is_over()) {
        show({steady_clock::now() - begun_, transfers_, killed_});
        std::this_thread::sleep_for(100ms);
    }
    threads.clear(); // joins
    all_.took = steady_clock::now() - begun_;
    all_.killed = killed_;
    show({all_.took, transfers_, killed_});
    return std::move(all_);
}

void load::transfer_until_over(client &caller, int number) {
    std::mt19937_64 random{seed_ + static_cast<std::uint64_t>(number)};
    outcome mine;
    call_options call;
    call.level = wanted_.level;
    call.retry.deadline = 30s;
    call.retry.on_retry = [&mine](const retry_event &event) {
        ++mine.retries[std::string(event.sqlstate)];
    };
    const auto one_of = [&random](std::int64_t rows) {
        return std::uniform_int_distribution<std::int64_t>(1, rows)(random);
    };
    while (!is_over()) {
        const bool hot = one_of(2) == 1;
        const std::int64_t rows = hot ? wanted_.hot_rows : accounts_;
        const auto from = one_of(rows);
        auto to = one_of(rows);
        if (to == from)
            to = from % rows + 1;
        try {
            const auto result = caller.transfer({.ledger = "pgbench_accounts",
                                                 .from_key = from,
                                                 .to_key = to,
                                                 .amount = one_of(100)},
                                                call);
            if (result.status == booking::applied)
                mine.acknowledged.push_back(result.id);
            else
                mine.failures.push_back("a transfer was " + std::string(to_string(result.status)) +
                                        " " + result.sqlstate);
            mine.in_doubt += result.call.was_in_doubt ? 1 : 0;
            ++transfers_;
        } catch (const std::exception &failure) {
            mine.failures.emplace_back(failure.what());
        }
    }
    const std::lock_guard held(mutex_);
    all_.acknowledged.insert(all_.acknowledged.end(), mine.acknowledged.begin(),
                             mine.acknowledged.end());
    for (const auto &[sqlstate, count] : mine.retries)
        all_.retries[sqlstate] += count;
    all_.failures.insert(all_.failures.end(), mine.failures.begin(), mine.failures.end());
    all_.in_doubt += mine.in_doubt;
}

void load::kill_until_over() {
    pool_options of_helper;
    of_helper.conninfo = conninfo_ + " application_name='lockstep demo helper'";
    of_helper.max_size = 1;
    pool sessions(of_helper);
    client helper(sessions);
    run_options once;
    once.level = isolation::read_committed;
    while (!is_over()) {
        try {
            const auto hit = helper.run(once, [](transaction &tx) {
                return tx
                    .exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                          " WHERE application_name = $1 ORDER BY random() LIMIT 1",
                          application_name)
                    .size();
            });
            killed_ += hit;
        } catch (const error &failure) {
            const std::lock_guard held(mutex_);
            all_.failures.push_back(std::string("the helper: ") + failure.what());
        }
        std::this_thread::sleep_for(wanted_.kill_every);
    }
}

bool load::is_over() const {
    return *stop_ || steady_clock::now() - begun_ >= wanted_.duration;
}

} // namespace lockstep::demo
