// Rows of a log, written one by one and in batches by one connection, on a private server, in one
// run. Exit status: 0 every row is there once, 1 not, 2 the benchmark could not run. Times decide
// nothing: they are printed.
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "common/screen.hpp"
#include "common/statistics.hpp"
#include "log_writing/ways.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;
using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;

struct options {
    milliseconds window{1000};
    int repetitions = 5;
    std::uint64_t seed = 0; // 0: another one each time
    std::string output = LOCKSTEP_BENCH_FOLDER;
    std::string folder = LOCKSTEP_BENCH_FOLDER "/log_writing";
};

void be_short(options &wanted, milliseconds window, int repetitions) {
    wanted.window = window;
    wanted.repetitions = repetitions;
}

constexpr char purpose[] =

    "Writes rows of a log one by one and in batches on a private server, measures "
    "each way, and checks after each that every row is there once.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "short, twice each", [&] { be_short(wanted, milliseconds(500), 2); });
    line.kind("--tiny", "a few batches in every way: whether it is right, no times",
              [&] { be_short(wanted, milliseconds(20), 1); });
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "log_writing.json goes");
    line.folder(wanted.folder);
}

// A commit really waits for the disk, and nothing runs beside a measurement.
std::vector<std::string> server_settings() {
    return {"fsync = on",           "autovacuum = off",       "checkpoint_timeout = '1d'",
            "max_wal_size = '8GB'", "min_wal_size = '512MB'", "shared_buffers = '256MB'"};
}

// Rows a second.
double measured(writer &log, milliseconds window) {
    log.write();
    std::size_t rows = 0;
    const auto begin = clock_type::now();
    while (clock_type::now() - begin < window)
        rows += log.write();
    const std::chrono::duration<double> took = clock_type::now() - begin;
    return static_cast<double>(rows) / took.count();
}

int run(const options &wanted) {
    screen out;
    out.print("\nRows of a log, one by one and in batches of a thousand\n\n");
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    out.setting("machine", load_of_machine());
    out.step("starting a private server");
    std::filesystem::create_directories(wanted.output);
    const private_cluster server(wanted.folder, server_settings());
    session link(fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port()),
                 "bench");
    const auto version = link.run("SHOW server_version");
    out.setting("server", fmt::format("PostgreSQL {}, private; fsync on; one connection",
                                      version.text(0, 0)));
    out.setting("order", fmt::format("ways in turn, in random order, seed {}", seed));

    std::mt19937_64 random(seed);
    writer log(link);
    std::map<way, std::vector<double>> rates;
    std::vector<std::string> wrong;
    auto order = all_ways();
    for (int turn = 1; turn <= wanted.repetitions; ++turn) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto how : order) {
            check_not_interrupted();
            out.step(fmt::format("turn {} of {}, {}", turn, wanted.repetitions, label_of(how)));
            log.begin(how);
            rates[how].push_back(measured(log, wanted.window));
            if (const auto problem = log.check(); !problem.empty())
                wrong.push_back(label_of(how) + ": " + problem);
        }
    }
    nlohmann::ordered_json told{{"seed", seed}, {"rows_of_batch", rows_of_batch}};
    const double slowest = median(rates[way::each_committed]);
    out.print(fmt::format("\n{:30}{:>28}{:>10}\n", "", "rows a second", "times"));
    for (const auto how : all_ways()) {
        out.print(fmt::format("{:30}{:>28}{:>10.3g}\n", label_of(how), with_spread(rates[how]),
                              median(rates[how]) / slowest));
        told["rows_a_second"][name_of(how)] = rates[how];
    }
    write_file(wanted.output + "/log_writing.json", told.dump(2) + "\n");
    for (const auto &each : wrong)
        out.print("wrong: " + each + "\n");
    out.print(wrong.empty() ? "\nEvery row is there, once.\n" : "\n");
    return wrong.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-log-writing", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
