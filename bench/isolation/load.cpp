#include "isolation/load.hpp"

#include "common/run.hpp"
#include "common/statistics.hpp"

#include <fmt/format.h>

#include <barrier>
#include <exception>
#include <fstream>
#include <thread>

namespace lockstep::bench {
namespace {

using std::chrono::steady_clock;

// What one thread has seen.
struct part {
    acknowledged by_clients;
    std::vector<double> latencies_ms;
    aborts ended; // attempts at these
    std::size_t in_window = 0;
    double server_us = 0;
    std::exception_ptr failure;
};

// The time that a process has had a processor for. 0 where the kernel does not tell.
double processor_us(int pid) {
    double nanoseconds = 0;
    std::ifstream(fmt::format("/proc/{}/schedstat", pid)) >> nanoseconds;
    return nanoseconds / 1000;
}

class one_client {
  public:
    one_client(session &link, const bank &under, const load &asked, std::uint64_t seed, part &mine)
        : link_(link), under_(under), asked_(asked), mine_(mine), random_(seed),
          teller_(link, asked.which, asked.flush, random_()) {}

    void warm_up() {
        const auto until = steady_clock::now() + asked_.warm_up;
        do
            one();
        while (steady_clock::now() < until && !interrupted());
    }

    // At least one transfer.
    void measure(steady_clock::time_point until) {
        const auto server_before = processor_us(link_.pid());
        auto now = steady_clock::now();
        do {
            const auto began = now;
            const auto met = one();
            now = steady_clock::now();
            mine_.latencies_ms.push_back(
                std::chrono::duration<double, std::milli>(now - began).count());
            mine_.ended.serialization += met.serialization;
            mine_.ended.deadlock += met.deadlock;
            if (now <= until)
                ++mine_.in_window;
        } while (now < until && !interrupted());
        mine_.server_us = processor_us(link_.pid()) - server_before;
    }

  private:
    aborts one() {
        const auto wanted = under_.draw(random_);
        const auto met = teller_.run(wanted);
        ++mine_.by_clients.commits;
        mine_.by_clients.amount += wanted.amount;
        return met;
    }

    session &link_;
    const bank &under_;
    const load &asked_;
    part &mine_;
    std::mt19937_64 random_;
    teller teller_;
};

load_seen summed(const std::vector<part> &parts, const load &asked) {
    load_seen seen;
    std::vector<double> latencies;
    aborts ended;
    double server_us = 0;
    double in_window = 0;
    for (const auto &each : parts) {
        seen.by_clients.commits += each.by_clients.commits;
        seen.by_clients.amount += each.by_clients.amount;
        latencies.insert(latencies.end(), each.latencies_ms.begin(), each.latencies_ms.end());
        ended.serialization += each.ended.serialization;
        ended.deadlock += each.ended.deadlock;
        server_us += each.server_us;
        in_window += static_cast<double>(each.in_window);
    }
    const auto commits = static_cast<double>(latencies.size());
    seen.commits_per_second = in_window / std::chrono::duration<double>(asked.window).count();
    seen.serialization = 100 * static_cast<double>(ended.serialization) / commits;
    seen.deadlocks = 100 * static_cast<double>(ended.deadlock) / commits;
    seen.p50_ms = percentile(latencies, 0.5);
    seen.p99_ms = percentile(latencies, 0.99);
    seen.server_us = server_us / commits;
    return seen;
}

} // namespace

load_seen run_load(std::span<session> links, const bank &under, const load &asked) {
    std::vector<part> parts(links.size());
    steady_clock::time_point until;
    std::barrier all_warm(static_cast<std::ptrdiff_t>(links.size()),
                          [&]() noexcept { until = steady_clock::now() + asked.window; });
    const auto run_one = [&](std::size_t i) {
        bool waited = false;
        try {
            one_client client(links[i], under, asked, asked.seed + i, parts[i]);
            client.warm_up();
            waited = true;
            all_warm.arrive_and_wait();
            client.measure(until);
        } catch (...) {
            parts[i].failure = std::current_exception();
            if (!waited)
                all_warm.arrive_and_drop();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < links.size(); ++i)
            threads.emplace_back(run_one, i);
    }
    for (const auto &each : parts)
        if (each.failure)
            std::rethrow_exception(each.failure);
    return summed(parts, asked);
}

} // namespace lockstep::bench
