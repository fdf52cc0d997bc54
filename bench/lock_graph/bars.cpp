#include "bars.hpp"

#include "methods.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

constexpr int hot_waiters = 1000;
constexpr double most_milliseconds = 10;
constexpr double least_speedup = 50;
constexpr double most_of_activity = 3;
constexpr double most_held_us = 200;
constexpr double most_growth = 1.1; // that much is noise

double of_method(const cell &state, std::size_t method) {
    return median(state.timings.at(method).milliseconds);
}

bar of_latency(const cell *hot) {
    bar result{fmt::format("lock_graph, {} waiters on one row: under {} ms",
                           with_commas(hot_waiters), most_milliseconds),
               "", hot != nullptr};
    if (hot == nullptr)
        return result;
    const auto &times = hot->timings.at(position::graph).milliseconds;
    result.figures =
        fmt::format("median {:.2f} ms, p90 {:.2f} ms", median(times), percentile(times, 0.9));
    result.met = median(times) < most_milliseconds;
    return result;
}

bar of_speedup(const cell *hot) {
    bar result{fmt::format("at least {} times as fast as pg_blocking_pids for each of them",
                           least_speedup),
               "", hot != nullptr};
    if (hot == nullptr)
        return result;
    const auto ours = of_method(*hot, position::graph);
    const auto theirs = of_method(*hot, position::blocking_pids);
    result.figures =
        fmt::format("{:.1f} times: {:.1f} ms and {:.2f} ms", theirs / ours, theirs, ours);
    result.met = theirs >= least_speedup * ours;
    return result;
}

bar of_age(const cell *hot) {
    bar result{fmt::format("transaction_age of {} sessions: below {} times pg_stat_activity",
                           with_commas(hot_waiters), most_of_activity),
               "", hot != nullptr};
    if (hot == nullptr)
        return result;
    const auto ours = of_method(*hot, position::age);
    const auto theirs = of_method(*hot, position::activity);
    result.figures =
        fmt::format("{:.1f} times: {:.1f} ms and {:.1f} ms", ours / theirs, ours, theirs);
    result.met = ours < most_of_activity * theirs;
    return result;
}

bar of_holding(const cells &all) {
    bar result{fmt::format("the lock manager held for under {} us", most_held_us), "",
               !all.empty()};
    if (all.empty())
        return result;
    const auto worst = std::max_element(all.begin(), all.end(), [](const auto &a, const auto &b) {
        return median(a.held_us) < median(b.held_us);
    });
    result.figures =
        fmt::format("median {:.0f} us, p90 {:.0f} us in the worst state ({})",
                    median(worst->held_us), percentile(worst->held_us, 0.9), name_of(*worst));
    result.met = median(worst->held_us) < most_held_us;
    return result;
}

// How much longer a method takes when there are other locks: the mean over the shapes, with as many
// waiters as there are. With few, what is left in the processor's caches by the method before
// decides.
double growth(const cells &all, int waiters, std::size_t method) {
    std::vector<double> ratios;
    for (const auto &with : all)
        if (with.other_locks > 0 && with.waiters == waiters)
            if (const auto *const without = find(all, with.which, with.waiters, 0))
                ratios.push_back(of_method(with, method) / of_method(*without, method));
    return geometric_mean(ratios);
}

bar of_other_locks(const cells &all) {
    int waiters = 0;
    int other_locks = 0;
    for (const auto &state : all) {
        waiters = std::max(waiters, state.waiters);
        other_locks = std::max(other_locks, state.other_locks);
    }
    const bool measured = other_locks > 0;
    bar result{"locks that nobody waits for cost lock_graph nothing", "", measured};
    if (!measured)
        return result;
    const auto ours = growth(all, waiters, position::graph);
    result.figures = fmt::format("{} waiters, {} other locks: it takes {:.2f} times as long with "
                                 "them; pg_locks {:.1f} times",
                                 with_commas(static_cast<std::size_t>(waiters)),
                                 with_commas(static_cast<std::size_t>(other_locks)), ours,
                                 growth(all, waiters, position::pg_locks));
    result.met = ours <= most_growth;
    return result;
}

} // namespace

std::vector<bar> bars_of(const cells &all) {
    const auto *const hot = find(all, shape::hot_row, hot_waiters, 0);
    return {of_latency(hot), of_speedup(hot), of_age(hot), of_holding(all), of_other_locks(all)};
}

} // namespace lockstep::bench
