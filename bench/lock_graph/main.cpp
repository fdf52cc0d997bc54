// The lock graph beside the ordinary ways to ask who waits for whom: states of many waiting
// sessions on a private server, each asked in every way, in one run. Exit status: 0 the edges are
// right, 1 they are not, 2 the benchmark could not run. Times decide nothing: they are printed.
#include "bars.hpp"
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "json.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;

void be_quick(options &wanted) {
    wanted.waiters = {1, 10, 100};
    wanted.repetitions = 7;
    wanted.cap = std::chrono::seconds(2);
}

void take_shapes(options &wanted, const std::vector<std::string> &named) {
    wanted.shapes.clear();
    for (const auto &name : named)
        wanted.shapes.push_back(shape_named(name));
}

constexpr char purpose[] =
    "Builds states of many waiting sessions on a private server, asks in every "
    "way who waits for whom, and checks that lock_graph_all and "
    "pg_blocking_pids() say the same.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "up to 100 waiters, and a cap of 2 s: under a minute",
              [&] { be_quick(wanted); });
    line.numbers("--waiters", wanted.waiters, 1, 5000, "how many wait");
    std::vector<std::string> names;
    for (const auto each : all_shapes())
        names.push_back(name_of(each));
    line.own()
        .add_option_function<std::vector<std::string>>(
            "--shapes", [&](const std::vector<std::string> &named) { take_shapes(wanted, named); },
            "which states (default: all)")
        ->check(CLI::IsMember(names));
    line.number("--other-locks", wanted.other_locks, 0, 1'000'000,
                "locks that nobody waits for; each state is measured without and with them");
    line.repetitions(wanted.repetitions);
    line.own()
        .add_option_function<double>(
            "--cap",
            [&](double seconds) {
                wanted.cap = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
            },
            "seconds after which a method is cancelled, and not tried again")
        ->check(CLI::Range(0.1, 3600.0))
        ->default_str(fmt::format("{}", std::chrono::duration<double>(wanted.cap).count()));
    line.seed(wanted.seed);
    line.json(wanted.json);
    line.folder(wanted.folder);
}

std::size_t most_sessions(const options &wanted) {
    std::size_t most = 0;
    for (const auto which : wanted.shapes)
        most = std::max(most, sessions_for(which, wanted.waiters.back()));
    return most + 3; // who builds, who measures, who holds the other locks
}

// Nothing else may run beside a measurement: no deadlock check of a waiter, no autovacuum. Without
// jit and with much memory the ordinary queries are faster. The lock table has room for all.
std::vector<std::string> server_settings(const options &wanted, std::size_t sessions) {
    const auto connections = sessions + 20;
    const auto locks = static_cast<std::size_t>(wanted.other_locks) / connections + 64;
    return {fmt::format("max_connections = {}", connections),
            "max_prepared_transactions = 2",
            fmt::format("max_locks_per_transaction = {}", locks),
            "deadlock_timeout = '1h'",
            "autovacuum = off",
            "fsync = off",
            "jit = off",
            "work_mem = '64MB'",
            "max_parallel_workers_per_gather = 0",
            "shared_buffers = '256MB'"};
}

bool run(const options &wanted) {
    report out(wanted);
    out.title();
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    const auto sessions = most_sessions(wanted);
    allow_connections(sessions);
    out.setting("machine", load_of_machine());

    out.step("starting a private server");
    const private_cluster server(wanted.folder, server_settings(wanted, sessions));
    auto version = session(server.conninfo(), "bench").run("SHOW server_version");
    const std::string release = version.text(0, 0);
    out.setting("server", "PostgreSQL " + release.substr(0, release.find(' ')) +
                              ", private, gone when this ends");
    out.setting("order", fmt::format("methods in turn, in random order, seed {}", seed));

    measurement all(
        wanted, server.conninfo(), seed, [&](const std::string &what) { out.step(what); },
        [&](const cell &state) { out.measured(state); });
    const auto seen = all.run();
    const auto bars = bars_of(seen);
    out.table(seen);
    out.bars(bars);
    if (!wanted.json.empty())
        write_json(wanted, release, seed, seen, bars);
    return out.verdict(seen);
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-lock-graph", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        // The number of sessions only grows.
        std::sort(wanted.waiters.begin(), wanted.waiters.end());
        return run(wanted) ? 0 : 1;
    });
}
