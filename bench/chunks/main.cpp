// Sessions that update most rows of a table at the same time, each in an order of its own: in one
// statement, in chunks by hand, and by apply_in_chunks, on a private server. Exit status: 0 every
// row was updated as often as asked for and apply_in_chunks met no deadlock, 1 not so, 2 the
// benchmark could not run. Times decide nothing: they are printed.
#include "common/bar.hpp"
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "common/screen.hpp"
#include "options.hpp"
#include "ways.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;

void be_quick(options &wanted) {
    wanted.rows = 4000;
    wanted.ids = 3200;
    wanted.sessions = 6;
    wanted.chunk_size = 100;
    wanted.cap = std::chrono::seconds(60);
}

void keep_ways(options &wanted, const std::vector<std::string> &named) {
    std::erase_if(wanted.ways, [&](way each) {
        return std::find(named.begin(), named.end(), key_of(each)) == named.end();
    });
}

constexpr char purpose[] = "Lets many sessions update the same rows in different orders: in one "
                           "statement each, in chunks by hand, and by apply_in_chunks.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "4,000 rows, of which each of 6 sessions updates 3,200; a cap of 60 s",
              [&] { be_quick(wanted); });
    line.number("--rows", wanted.rows, 1, 10'000'000, "of the table");
    line.number("--ids", wanted.ids, 1, 10'000'000, "how many rows each session updates");
    line.number("--sessions", wanted.sessions, 1, 500, "how many update at the same time");
    line.number("--chunk-size", wanted.chunk_size, 1, 1'000'000, "rows of a chunk");
    std::vector<std::string> names;
    for (const auto each : all_ways())
        names.push_back(key_of(each));
    line.own()
        .add_option_function<std::vector<std::string>>(
            "--ways", [&](const std::vector<std::string> &named) { keep_ways(wanted, named); },
            "which ways (default: all)")
        ->check(CLI::IsMember(names));
    line.duration("--cap", wanted.cap, 100'000, "seconds after which a way is cancelled");
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.json(wanted.json);
    line.folder(wanted.folder);
}

nlohmann::ordered_json json_of(const std::vector<outcome> &all) {
    auto list = nlohmann::ordered_json::array();
    for (const auto &one : all)
        list.push_back({{"way", label_of(one.how)},
                        {"seconds", one.seconds},
                        {"finished", one.finished},
                        {"share", one.share},
                        {"deadlocks", one.deadlocks},
                        {"wrong_rows", one.wrong_rows}});
    return list;
}

bool run(const options &wanted) {
    screen out;
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    out.print("# Many sessions update the same rows, in different orders\n\n");
    out.setting("machine", load_of_machine());
    const private_cluster server(wanted.folder,
                                 {fmt::format("max_connections = {}", wanted.sessions + 20),
                                  "autovacuum = off", "fsync = off", "jit = off",
                                  "shared_buffers = '256MB'", "max_wal_size = '4GB'"});
    session admin(server.conninfo(), "bench");
    out.setting("server", std::string{"PostgreSQL "} + admin.run("SHOW server_version").text(0, 0) +
                              ", private, gone when this ends");
    out.setting("work",
                fmt::format("{} sessions, {} of {} rows each, chunks of {}, seed {}",
                            wanted.sessions, wanted.ids, wanted.rows, wanted.chunk_size, seed));
    prepare(admin, wanted, seed);
    out.print(fmt::format("\n| {:<34} | {:>9} | {:>6} | {:>9} | {:>10} |\n"
                          "| --- | --- | --- | --- | --- |\n",
                          "", "seconds", "done", "deadlocks", "wrong rows"));
    std::vector<outcome> all;
    bool right = true;
    for (int turn = 0; turn < wanted.repetitions; ++turn)
        for (const auto how : wanted.ways) {
            check_not_interrupted();
            out.step(label_of(how));
            const auto seen = measured(admin, server.conninfo(), wanted, how);
            out.print(fmt::format("| {:<34} | {:>9.1f} | {:>4.0f} % | {:>9} | {:>10} |\n",
                                  label_of(how), seen.seconds, seen.share * 100, seen.deadlocks,
                                  seen.wrong_rows));
            right = right && (seen.wrong_rows == 0 || !seen.finished) &&
                    (how != way::in_chunks || (seen.finished && seen.deadlocks == 0));
            all.push_back(seen);
        }
    if (!wanted.json.empty())
        write_file(wanted.json, json_of(all).dump(2) + "\n");
    return right;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-chunks", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted) ? 0 : 1;
    });
}
