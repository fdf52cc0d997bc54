// The main job: a private server, the tables of pgbench, one call that makes a table a ledger, then
// many threads that move amounts while a helper kills their server processes. Says whether the
// books are right; so does the exit status: 0 they are, 1 they are not, 2 the demo could not run.
#include "display.hpp"
#include "invariants.hpp"
#include "load.hpp"
#include "options.hpp"

#include "private_cluster.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <random>
#include <stdexcept>

namespace {

using namespace lockstep;
using namespace lockstep::demo;
using lockstep::testing::private_cluster;
using lockstep::testing::run_program;

std::atomic<bool> interrupted = false;

void on_signal(int) {
    interrupted = true;
}

void check_not_interrupted() {
    if (interrupted)
        throw std::runtime_error("interrupted");
}

std::string shown(isolation level) {
    switch (level) {
    case isolation::read_committed: return "READ COMMITTED";
    case isolation::repeatable_read: return "REPEATABLE READ";
    case isolation::serializable: return "SERIALIZABLE";
    }
    return "";
}

// As the server's own programs are found by scripts/cluster, and never by PATH.
std::string server_program(const std::string &name) {
    return run_program({private_cluster::pg_config(), "--bindir"}) + "/" + name;
}

options parsed(int argc, char **argv, int &status) {
    options wanted;
    CLI::App app(
        "Moves amounts between rows of pgbench_accounts on a private server while server "
        "processes are killed, and checks that nothing was lost and nothing was done twice.");
    std::int64_t seconds = wanted.duration.count();
    std::int64_t kill_every = wanted.kill_every.count();
    app.add_option("--seconds", seconds, "how long")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    app.add_option("--threads", wanted.threads, "client threads")
        ->check(CLI::Range(1, 80))
        ->capture_default_str();
    app.add_option("--hot", wanted.hot_rows, "half of the transfers are between this many rows")
        ->check(CLI::Range(2, 100000))
        ->capture_default_str();
    app.add_option("--kill-every", kill_every, "milliseconds between two killed processes; 0: none")
        ->check(CLI::Range(0, 3600000))
        ->capture_default_str();
    app.add_option("--scale", wanted.scale, "pgbench's scale: 100,000 rows each")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    const std::map<std::string, isolation> levels{{"read-committed", isolation::read_committed},
                                                  {"repeatable-read", isolation::repeatable_read},
                                                  {"serializable", isolation::serializable}};
    app.add_option("--isolation", wanted.level, "read-committed, repeatable-read or serializable")
        ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case))
        ->default_str("read-committed");
    app.add_option("--seed", wanted.seed, "of the random choices; 0: another one each time")
        ->capture_default_str();
    app.add_option("--folder", wanted.folder, "where the private server lives while this runs");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &problem) {
        status = app.exit(problem) == 0 ? 0 : 2;
        return wanted;
    }
    wanted.duration = std::chrono::seconds(seconds);
    wanted.kill_every = std::chrono::milliseconds(kill_every);
    status = -1;
    return wanted;
}

bool run(const options &wanted) {
    display out(wanted);
    out.title();
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();

    out.step("starting a private server");
    private_cluster server(wanted.folder, {"max_connections = 120"});
    check_not_interrupted();
    out.step("pgbench -i makes its tables");
    run_program({server_program("pgbench"), "-i", "-q", "-s", std::to_string(wanted.scale),
                 server.conninfo()});
    check_not_interrupted();

    pool_options of_checks;
    of_checks.conninfo = server.conninfo() + " application_name='lockstep demo checks'";
    of_checks.max_size = 1;
    pool sessions(of_checks);
    client caller(sessions);
    const auto version = caller.run({}, [](transaction &tx) {
        tx.exec("CREATE EXTENSION lockstep");
        tx.exec("SELECT lockstep.register_ledger('pgbench_accounts', 'aid', 'abalance',"
                " floor => NULL)");
        return tx.exec("SHOW server_version")[0][0].as<std::string>();
    });
    const auto accounts = 100'000 * static_cast<std::int64_t>(wanted.scale);
    invariants books(caller);
    books.remember();

    out.setting("server", "PostgreSQL " + version.substr(0, version.find(' ')) +
                              ", private, gone when this ends");
    out.setting("table", fmt::format("pgbench_accounts, {} rows, as pgbench -i made it",
                                     with_commas(static_cast<std::uint64_t>(accounts))));
    out.setting("ledger", "register_ledger('pgbench_accounts', 'aid', 'abalance', floor => NULL)");
    out.setting("load", fmt::format("{} threads, {}, half of it between {} hot rows, seed {}",
                                    wanted.threads, shown(wanted.level), wanted.hot_rows, seed));
    out.setting("trouble", wanted.kill_every.count() > 0
                               ? fmt::format("a random server process is killed every {} ms",
                                             wanted.kill_every.count())
                               : "none");
    fmt::print("\n");

    const auto seen =
        load(wanted, server.conninfo(), accounts, seed).run(interrupted, [&](const progress &now) {
            out.show(now);
        });
    out.summary(seen);
    out.step("checking the books");
    const auto findings = books.check(seen);
    out.verdict(findings);
    for (const auto &each : findings)
        if (!each.holds)
            return false;
    return true;
}

} // namespace

int main(int argc, char **argv) {
    // The server is removed in any case: its destructor has to run.
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        int status = 0;
        const options wanted = parsed(argc, argv, status);
        if (status >= 0)
            return status;
        return run(wanted) ? 0 : 1;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "\nlockstep-demo: %s\n", problem.what());
        return 2;
    }
}
