// What each isolation level costs: the same transfers between a hundred rows by two UPDATEs in
// PL/pgSQL, and by lockstep.transfer, at READ COMMITTED, REPEATABLE READ and SERIALIZABLE, run
// again by the client after 40001 and 40P01; on a private server, in one run. Exit status: 0 every
// acknowledged commit is there, 1 not, 2 the benchmark could not run. Times decide nothing: they
// are printed.
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "isolation/options.hpp"
#include "isolation/report.hpp"

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
        wanted.window = milliseconds(600);
        wanted.warm_up = milliseconds(100);
        wanted.repetitions = 3;
    } else if (how_much == extent::full) {
        wanted.window = milliseconds(3000);
        wanted.repetitions = 9;
    } else if (how_much == extent::tiny) {
        wanted.connections = {4};
        wanted.window = wanted.warm_up = milliseconds(20);
        wanted.repetitions = 1;
    }
}

constexpr char purpose[] =

    "Books transfers at every isolation level, in the ordinary ways and by Lockstep, "
    "on a private server, measures each, and checks after each that every "
    "acknowledged transfer is there once.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "short, three times each: three minutes",
              [&] { set_extent(wanted, extent::quick); });
    line.kind("--full", "long, nine times each: half an hour",
              [&] { set_extent(wanted, extent::full); });
    line.kind("--tiny", "a few transfers in every way: whether it is right, no times",
              [&] { set_extent(wanted, extent::tiny); });
    line.numbers("--connections", wanted.connections, 1, 200, "how many at once");
    line.number("--rows", wanted.rows, 2, 10'000, "that all transfers are between");
    line.duration("--window", wanted.window, 600'000, "milliseconds of each measurement");
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "isolation.json and isolation.svg go");
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
void measure(const options &wanted, const conditions &where, pool &links, bank &under, screen &out,
             std::mt19937_64 &random, results &all) {
    std::vector<cell> cells;
    for (const auto &which : all_ways())
        cells.push_back({where, which, {}});
    auto order = all_ways();
    for (int turn = 1; turn <= wanted.repetitions; ++turn) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto &which : order) {
            check_not_interrupted();
            out.step(fmt::format("{}: turn {} of {}, {}", name_of(where), turn, wanted.repetitions,
                                 label_of(which)));
            under.reset(which.how);
            const auto seen =
                run_load(links.take(static_cast<std::size_t>(where.connections)), under,
                         {which, where.flush, wanted.warm_up, wanted.window, random()});
            for (const auto &each : under.check(which.how, seen.by_clients))
                all.wrong.push_back(
                    fmt::format("{}, {}: {}", name_of(where), label_of(which), each));
            std::find_if(cells.begin(), cells.end(), [&](const cell &each) {
                return each.which == which;
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
    out.print("\nWhat each isolation level costs\n\n");
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
    out.setting("work", fmt::format("transfers between {} rows of 100,000, with a journal and ids",
                                    wanted.rows));
    out.setting("again", "after 40001 and 40P01, by the client, after up to 4 ms, doubling");
    out.setting("order", fmt::format("ways in turn, in random order, seed {}", seed));
    out.setting("link", "TCP on 127.0.0.1; the clients share the processors with the server");
    out.setting("figures", "medians of all turns; times: of the same at READ COMMITTED;");
    out.setting("", "40001 and 40P01: aborts for 100 commits");

    bank under(admin, wanted.rows);
    pool links(fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port()));
    std::mt19937_64 random(seed);
    results all;
    for (const auto flush : {true, false})
        for (const auto connections : wanted.connections)
            measure(wanted, {connections, flush}, links, under, out, random, all);
    const auto audited = under.audit();
    all.wrong.insert(all.wrong.end(), audited.begin(), audited.end());
    const auto bars = bars_of(all);
    if (wanted.how_much != extent::tiny)
        out.bars(bars);
    const auto named = wanted.output + "/isolation";
    write_json(named + ".json", release, seed, all, bars);
    write_file(named + ".svg",
               drawn({"What each isolation level costs",
                      fmt::format("PostgreSQL {}, {}; medians, thin lines: least to most", release,
                                  machine),
                      panels_of(all)}));
    out.print(fmt::format("\nWritten: {0}.json, {0}.svg\n", named));
    return print_verdict(out, all) ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-isolation", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
