#include "measure.hpp"

#include "common/run.hpp"
#include "edges.hpp"
#include "methods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace lockstep::bench {
namespace {

// A method that is this slow is measured fewer times than was asked for.
constexpr double enough_milliseconds = 10'000;
constexpr int snapshots = 25;

bool has_had_enough(const timing &seen) {
    return std::accumulate(seen.milliseconds.begin(), seen.milliseconds.end(), 0.0) >
           enough_milliseconds;
}

} // namespace

measurement::measurement(const options &wanted, const std::string &conninfo, std::uint64_t seed,
                         told step, std::function<void(const cell &)> done)
    : wanted_(wanted), step_(std::move(step)), done_(std::move(done)),
      admin_(conninfo, "bench admin"), monitor_(conninfo, "bench monitor"), sessions_(conninfo),
      others_(conninfo), random_(seed) {}

cells measurement::run() {
    admin_.run("CREATE EXTENSION IF NOT EXISTS lockstep");
    make_tables(admin_, *std::max_element(wanted_.waiters.begin(), wanted_.waiters.end()));
    // Once without a limit and untimed: what a session reads once is read.
    for (const auto &each : all_methods())
        bench::run(each, monitor_);
    monitor_.run(fmt::format("SET statement_timeout = {}", wanted_.cap.count()));

    cells all;
    for (const auto waiters : wanted_.waiters)
        for (const auto which : wanted_.shapes)
            measure(which, waiters, all);
    return all;
}

// One state serves both measurements, so that only the other locks differ.
void measurement::measure(shape which, int waiters, cells &all) {
    check_not_interrupted();
    step_(fmt::format("{}: {} sessions come together", name_of(which),
                      with_commas(sessions_for(which, waiters))));
    const frozen_state state(admin_, sessions_, which, waiters);
    for (const auto other : {0, wanted_.other_locks}) {
        if (other > 0)
            others_.take(other);
        all.push_back(measure_state(which, waiters, other));
        if (other > 0)
            others_.release();
        state.check_still();
        done_(all.back());
        if (wanted_.other_locks == 0)
            break;
    }
}

cell measurement::measure_state(shape which, int waiters, int other_locks) {
    cell state;
    state.which = which;
    state.waiters = waiters;
    state.other_locks = other_locks;
    step_(name_of(state) + ": comparing the edges");
    auto check = check_edges(admin_, waiters);
    state.edges = check.edges;
    state.reduced_edges = check.reduced;
    state.differences = std::move(check.differences);
    time_methods(state);
    time_snapshots(state);
    return state;
}

// In turn and in random order, so that what changes on the machine meanwhile hits every method.
void measurement::time_methods(cell &state) {
    const auto &methods = all_methods();
    state.timings.resize(methods.size());
    std::vector<std::size_t> order(methods.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int turn = 1; turn <= wanted_.repetitions; ++turn) {
        std::shuffle(order.begin(), order.end(), random_);
        for (const auto i : order) {
            auto &timing = state.timings[i];
            auto &given_up = given_up_[{state.which, i}];
            timing.timed_out = timing.timed_out || given_up;
            if (given_up || has_had_enough(timing))
                continue;
            check_not_interrupted();
            step_(fmt::format("{}: turn {} of {}, {}", name_of(state), turn, wanted_.repetitions,
                              methods[i].key));
            const auto seen = bench::run(methods[i], monitor_);
            given_up = seen.timed_out;
            timing.timed_out = timing.timed_out || seen.timed_out;
            timing.rows = seen.rows;
            if (!seen.timed_out)
                timing.milliseconds.push_back(seen.milliseconds);
        }
    }
}

void measurement::time_snapshots(cell &state) {
    for (int i = 0; i < snapshots; ++i) {
        const auto snapshot =
            monitor_.run("SELECT held_us, attempts FROM lockstep.lock_snapshot()");
        state.held_us.push_back(snapshot.number(0, 0));
        state.most_attempts = std::max(state.most_attempts, snapshot.integer(0, 1));
    }
}

} // namespace lockstep::bench
