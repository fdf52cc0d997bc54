// Transactions that fail under contention and are run again: by lockstep.retry in the server, and
// by the client's own loop over the network, on a private server, in one run. Exit status: 0 every
// acknowledged commit is there, 1 not, 2 the benchmark could not run. Times decide nothing: they
// are printed.
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "retry/bars.hpp"
#include "retry/json.hpp"
#include "retry/long_attempts.hpp"
#include "retry/options.hpp"
#include "retry/report.hpp"

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
        wanted.window = milliseconds(500);
        wanted.warm_up = milliseconds(100);
        wanted.repetitions = 2;
    } else if (how_much == extent::full) {
        wanted.window = milliseconds(3000);
        wanted.repetitions = 9;
    } else if (how_much == extent::tiny) {
        wanted.connections = {8};
        wanted.window = wanted.warm_up = milliseconds(20);
        wanted.repetitions = 1;
    }
}

constexpr char purpose[] =

    "Runs transactions under contention in every way to retry them on a private "
    "server, measures each, and checks after each that every acknowledged commit is "
    "there once.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "short, twice each: three minutes",
              [&] { set_extent(wanted, extent::quick); });
    line.kind("--full", "long, nine times each: half an hour",
              [&] { set_extent(wanted, extent::full); });
    line.kind("--tiny", "a few transactions in every way: whether it is right, no times",
              [&] { set_extent(wanted, extent::tiny); });
    line.numbers("--connections", wanted.connections, 1, 200, "how many at once");
    line.duration("--window", wanted.window, 600'000, "milliseconds of each measurement");
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "retry.json and retry.svg go");
    line.folder(wanted.folder);
}

// A commit really waits for the disk, and nothing runs beside a measurement.
std::vector<std::string> server_settings() {
    return {"max_connections = 230",
            "fsync = on",
            "autovacuum = off",
            "checkpoint_timeout = '1d'",
            "max_wal_size = '64GB'",
            "min_wal_size = '2GB'",
            "shared_buffers = '256MB'",
            "jit = off",
            "max_parallel_workers_per_gather = 0"};
}

// One state in every way, in turn and in random order, so that what changes on the machine
// meanwhile hits all.
void measure(const options &wanted, const conditions &where, pool &links, tables &under,
             screen &out, std::mt19937_64 &random, results &all) {
    std::vector<cell> cells;
    for (const auto how : all_ways())
        cells.push_back({where, how, {}});
    auto order = all_ways();
    for (int turn = 1; turn <= wanted.repetitions; ++turn) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto how : order) {
            check_not_interrupted();
            out.step(fmt::format("{}: turn {} of {}, {}", name_of(where), turn, wanted.repetitions,
                                 label_of(how)));
            under.reset(where.what);
            const auto seen =
                run_load(links.take(static_cast<std::size_t>(where.connections)),
                         {how, where.what, where.flush, wanted.warm_up, wanted.window, random()});
            for (const auto &each : under.check(where.what, seen.by_clients))
                all.wrong.push_back(fmt::format("{}, {}: {}", name_of(where), label_of(how), each));
            std::find_if(cells.begin(), cells.end(), [&](const cell &each) {
                return each.how == how;
            })->turns.push_back(seen);
        }
    }
    all.scenes.push_back(where);
    all.cells.insert(all.cells.end(), cells.begin(), cells.end());
    if (wanted.how_much != extent::tiny)
        print_scene(out, all, where);
}

int run(const options &wanted) {
    screen out;
    out.print("\nRetries in the server, beside the client's own loop\n\n");
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    const auto machine = load_of_machine();
    out.setting("machine", machine);
    out.step("starting a private server");
    std::filesystem::create_directories(wanted.output);
    const private_cluster server(wanted.folder, server_settings());
    session admin(server.conninfo(), "bench admin");
    const auto version = admin.run("SHOW server_version");
    const std::string told = version.text(0, 0);
    const auto release = told.substr(0, told.find(' '));
    out.setting("server",
                fmt::format("PostgreSQL {}, private, gone when this ends; fsync on", release));
    out.setting("order", fmt::format("ways in turn, in random order, seed {}", seed));
    out.setting("link", "TCP on 127.0.0.1; the clients share the processors with the server");
    out.setting("figures", "medians of all turns; \"most\" is the longest of all");
    out.setting("felt", "half of the connections' time goes into transactions at least so long");

    tables under(admin);
    pool links(fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port()));
    std::mt19937_64 random(seed);
    results all;
    for (const auto flush : {true, false})
        for (const auto what : {job::hot_row, job::write_skew})
            for (const auto connections : wanted.connections)
                measure(wanted, {what, connections, flush}, links, under, out, random, all);
    const auto long_ones = measure_long_attempts(wanted, admin, links, random, out);
    all.wrong.insert(all.wrong.end(), long_ones.wrong.begin(), long_ones.wrong.end());
    const auto bars = bars_of(all);
    if (wanted.how_much != extent::tiny)
        out.bars(bars);
    const auto named = wanted.output + "/retry";
    write_json(named + ".json", release, seed, all, long_ones, bars);
    write_file(named + ".svg",
               drawn({"Transactions that are run again",
                      fmt::format("PostgreSQL {}, {}; medians, thin lines: least to most", release,
                                  machine),
                      panels_of(all)}));
    out.print(fmt::format("\nWritten: {0}.json, {0}.svg\n", named));
    return print_verdict(out, all) ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-retry", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
