#include "transfers/load.hpp"

#include "common/run.hpp"
#include "transfers/teller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <exception>
#include <thread>

namespace lockstep::bench {
namespace {

using std::chrono::steady_clock;

// What one thread has seen.
struct part {
    std::size_t warm_up = 0;
    std::size_t measured = 0;
    std::vector<double> calls;
    steady_clock::time_point began;
    steady_clock::time_point ended;
    std::exception_ptr failure;
};

// At least one call. How long each took goes into `calls`, where that is not null.
std::size_t book_for(std::chrono::milliseconds time, teller &clerk, workload &work,
                     std::size_t items, std::vector<double> *calls) {
    const auto until = steady_clock::now() + time;
    std::size_t transfers = 0;
    auto ended = steady_clock::now();
    do {
        const auto order = clerk.order_for(work.next(items));
        const auto began = steady_clock::now();
        clerk.book(order, items);
        ended = steady_clock::now();
        if (calls != nullptr)
            calls->push_back(std::chrono::duration<double, std::milli>(ended - began).count());
        transfers += items;
    } while (ended < until && !interrupted());
    return transfers;
}

// The server sleeps before each flush, with the lock that every flush needs, so nobody's commit
// gets by. Without the siblings it would do so only among busy sessions. It does not sleep where
// fsync is off.
void slow_down(session &link, std::chrono::milliseconds by) {
    link.run("SET commit_siblings = 0");
    link.run(fmt::format("SET commit_delay = {}", std::chrono::microseconds(by).count()));
}

} // namespace

load_seen run_load(std::span<session> links, const load &what) {
    std::vector<part> parts(links.size());
    std::barrier all_warm(static_cast<std::ptrdiff_t>(links.size()));
    const auto run_one = [&](std::size_t i) {
        auto &mine = parts[i];
        bool waited = false;
        try {
            slow_down(links[i], what.slower);
            teller clerk(links[i], what.who.how, what.flush, links.size() > 1);
            workload work(what.from, what.ids, what.seed + i);
            mine.warm_up = book_for(what.warm_up, clerk, work, what.who.items, nullptr);
            waited = true;
            all_warm.arrive_and_wait();
            mine.began = steady_clock::now();
            mine.measured = book_for(what.window, clerk, work, what.who.items, &mine.calls);
            mine.ended = steady_clock::now();
        } catch (...) {
            mine.failure = std::current_exception();
            if (!waited)
                all_warm.arrive_and_drop();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < links.size(); ++i)
            threads.emplace_back(run_one, i);
    }
    load_seen seen;
    auto began = steady_clock::time_point::max();
    auto ended = steady_clock::time_point::min();
    for (const auto &each : parts) {
        if (each.failure)
            std::rethrow_exception(each.failure);
        seen.transfers += each.measured;
        seen.booked += each.measured + each.warm_up;
        seen.calls.insert(seen.calls.end(), each.calls.begin(), each.calls.end());
        began = std::min(began, each.began);
        ended = std::max(ended, each.ended);
    }
    seen.seconds = std::chrono::duration<double>(ended - began).count();
    return seen;
}

} // namespace lockstep::bench
