// Transfers beside the ordinary ways to book them, on a private server, in one run. Exit status: 0
// every amount is where it belongs, 1 not, 2 the benchmark could not run. Times decide nothing:
// they are printed.
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "transfers/bars.hpp"
#include "transfers/batches.hpp"
#include "transfers/costs.hpp"
#include "transfers/crowds.hpp"
#include "transfers/json.hpp"
#include "transfers/matrix.hpp"
#include "transfers/panels.hpp"
#include "transfers/report.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;
using std::chrono::milliseconds;

void set_extent(options &wanted, extent how_much) {
    wanted.how_much = how_much;
    if (how_much == extent::quick) {
        wanted.bar_window = milliseconds(400);
        wanted.bar_repetitions = 3;
    } else if (how_much == extent::tiny) {
        wanted.rows = 2000;
        wanted.window = wanted.bar_window = milliseconds(1);
        wanted.repetitions = wanted.bar_repetitions = 1;
    }
}

constexpr char purpose[] =
    "Books transfers in every way on a private server, measures each, and checks "
    "after each that no amount was lost.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "what the bars stand on alone, and short: a few minutes",
              [&] { set_extent(wanted, extent::quick); });
    line.kind("--full", "every state: most of an hour", [&] { set_extent(wanted, extent::full); });
    line.kind("--tiny", "a few transfers of everything: whether it is right, no times",
              [&] { set_extent(wanted, extent::tiny); });
    line.own()
        .add_option("--parts", wanted.parts, "what is measured")
        ->check(CLI::IsMember(wanted.parts))
        ->capture_default_str();
    line.number("--rows", wanted.rows, std::int64_t{2}, std::int64_t{10'000'000}, "of each ledger");
    // Of those, too, that bars stand on.
    line.own()
        .add_option_function<int>(
            "--window", [&](int ms) { wanted.window = wanted.bar_window = milliseconds(ms); },
            "milliseconds of each measurement under load")
        ->check(CLI::Range(1, 600'000));
    line.own()
        .add_option_function<int>(
            "--repetitions",
            [&](int times) { wanted.repetitions = wanted.bar_repetitions = times; },
            "of each measurement")
        ->check(CLI::Range(1, 1000));
    line.seed(wanted.seed);
    line.output(wanted.output, "transfers.json and transfers.svg go");
    line.folder(wanted.folder);
}

// A commit really waits for the disk. Nothing runs beside a measurement: no autovacuum, and no
// checkpoint but our own, whose used files of the log are kept. The ordinary ways plan best without
// jit.
std::vector<std::string> server_settings() {
    return {"max_connections = 100",
            "shared_preload_libraries = 'lockstep'",
            "fsync = on",
            "autovacuum = off",
            "checkpoint_timeout = '1d'",
            "max_wal_size = '64GB'",
            "min_wal_size = '2GB'",
            "shared_buffers = '512MB'",
            "work_mem = '64MB'",
            "jit = off",
            "max_parallel_workers_per_gather = 0"};
}

std::string release_of(session &admin) {
    const auto answer = admin.run("SHOW server_version");
    const std::string release = answer.text(0, 0);
    return release.substr(0, release.find(' '));
}

// Each table as soon as it is known. The times of a tiny run say nothing.
void measure_all(stage &on) {
    using table = void (*)(screen &, const results &);
    const auto &parts = on.wanted.parts;
    const auto told = [&](const char *name, void (*measure)(stage &), table print) {
        if (std::find(parts.begin(), parts.end(), name) == parts.end())
            return;
        measure(on);
        if (on.wanted.how_much != extent::tiny)
            print(on.out, on.all);
    };
    told("batches", measure_batches, print_batches);
    told("costs", measure_costs, print_costs);
    told("growth", measure_growth, print_growth);
    told("load", measure_matrix, print_cells);
    told("crowds", measure_crowds, print_crowds);
}

int run(const options &wanted) {
    screen out;
    out.print("\nTransfers, beside the ordinary ways to book them\n\n");
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    const auto machine = load_of_machine();
    out.setting("machine", machine);
    out.step("starting a private server");
    std::filesystem::create_directories(wanted.output);
    const private_cluster server(wanted.folder, server_settings());
    session admin(server.conninfo(), "bench admin");
    const auto release = release_of(admin);
    out.setting("server",
                fmt::format("PostgreSQL {}, private, gone when this ends; fsync on", release));
    out.setting("order", fmt::format("contestants in turn, in random order, seed {}", seed));
    out.setting("ledgers", fmt::format("{} rows, bigint keys and balances, fillfactor 50",
                                       with_commas(static_cast<std::size_t>(wanted.rows))));
    out.setting("ids", "version 7, as the client makes them, where nothing else is said");

    out.step("making the tables");
    bank tables(admin, wanted.rows, all_ways());
    stage on{wanted, server.conninfo(), out, tables, std::mt19937_64(seed), {}};
    measure_all(on);
    const auto bars = bars_of(on.all, wanted);
    if (wanted.how_much != extent::tiny)
        out.bars(bars);
    const auto named = wanted.output + "/transfers";
    write_json(named + ".json", wanted, release, seed, on.all, bars);
    write_file(named + ".svg",
               drawn({"Transfers a second",
                      fmt::format("PostgreSQL {}, {}; medians, thin lines: least to most", release,
                                  machine),
                      panels_of(on.all)}));
    out.print(fmt::format("\nWritten: {0}.json, {0}.svg\n", named));
    return print_verdict(out, on.all) ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-transfers", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
