#include "retry/load.hpp"

#include "common/run.hpp"
#include "common/statistics.hpp"
#include "retry/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <exception>
#include <fstream>
#include <numeric>
#include <thread>

namespace lockstep::bench {
namespace {

using std::chrono::steady_clock;

// What one thread has seen.
struct part {
    acknowledged by_clients;
    std::vector<double> latencies_ms;
    std::vector<double> attempts; // of these
    std::size_t in_window = 0;
    double server_us = 0;
    std::exception_ptr failure;
};

// The time that a process has had a processor for; the kernel counts nanoseconds. 0 where it does
// not tell.
double processor_us(int pid) {
    double nanoseconds = 0;
    std::ifstream(fmt::format("/proc/{}/schedstat", pid)) >> nanoseconds;
    return nanoseconds / 1000;
}

class one_client {
  public:
    one_client(session &link, const load &asked, std::uint64_t seed, part &mine)
        : link_(link), asked_(asked), mine_(mine), random_(seed),
          worker_(link, asked.how, asked.what, asked.flush, random_()) {}

    void warm_up() {
        const auto until = steady_clock::now() + asked_.warm_up;
        do
            static_cast<void>(one());
        while (steady_clock::now() < until && !interrupted());
    }

    // At least one transaction.
    void measure(steady_clock::time_point until) {
        const auto server_before = processor_us(link_.pid());
        auto now = steady_clock::now();
        do {
            const auto began = now;
            const auto attempts = one();
            now = steady_clock::now();
            mine_.latencies_ms.push_back(
                std::chrono::duration<double, std::milli>(now - began).count());
            mine_.attempts.push_back(attempts);
            if (now <= until)
                ++mine_.in_window;
        } while (now < until && !interrupted());
        mine_.server_us = processor_us(link_.pid()) - server_before;
    }

  private:
    int one() {
        const auto wanted = draw(asked_.what, random_);
        const auto attempts = worker_.run(wanted);
        ++mine_.by_clients.commits;
        mine_.by_clients.amount += wanted.amount;
        return attempts;
    }

    session &link_;
    const load &asked_;
    part &mine_;
    std::mt19937_64 random_;
    worker worker_;
};

// Of sorted values, the one up to which they make half of the sum.
double middle_of_sum(const std::vector<double> &sorted) {
    const auto half = std::accumulate(sorted.begin(), sorted.end(), 0.0) / 2;
    double sum = 0;
    for (const auto each : sorted)
        if ((sum += each) >= half)
            return each;
    return 0;
}

load_seen summed(const std::vector<part> &parts, const load &asked) {
    load_seen seen;
    std::vector<double> latencies;
    std::vector<double> attempts;
    double server_us = 0;
    double in_window = 0;
    double least = 1e300;
    for (const auto &each : parts) {
        seen.by_clients.commits += each.by_clients.commits;
        seen.by_clients.amount += each.by_clients.amount;
        latencies.insert(latencies.end(), each.latencies_ms.begin(), each.latencies_ms.end());
        attempts.insert(attempts.end(), each.attempts.begin(), each.attempts.end());
        server_us += each.server_us;
        in_window += static_cast<double>(each.in_window);
        least = std::min(least, static_cast<double>(each.in_window));
    }
    const auto commits = static_cast<double>(latencies.size());
    std::sort(latencies.begin(), latencies.end());
    seen.commits_per_second = in_window / std::chrono::duration<double>(asked.window).count();
    seen.p50_ms = percentile(latencies, 0.5);
    seen.p95_ms = percentile(latencies, 0.95);
    seen.p99_ms = percentile(latencies, 0.99);
    seen.most_ms = percentile(latencies, 1);
    seen.felt_ms = middle_of_sum(latencies);
    seen.attempts = std::accumulate(attempts.begin(), attempts.end(), 0.0) / commits;
    seen.attempts_p99 = percentile(attempts, 0.99);
    seen.server_us = server_us / commits;
    seen.slowest_share = in_window > 0 ? least * static_cast<double>(parts.size()) / in_window : 0;
    return seen;
}

} // namespace

load_seen run_load(std::span<session> links, const load &asked) {
    std::vector<part> parts(links.size());
    steady_clock::time_point until;
    std::barrier all_warm(static_cast<std::ptrdiff_t>(links.size()),
                          [&]() noexcept { until = steady_clock::now() + asked.window; });
    const auto run_one = [&](std::size_t i) {
        bool waited = false;
        try {
            one_client client(links[i], asked, asked.seed + i, parts[i]);
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
