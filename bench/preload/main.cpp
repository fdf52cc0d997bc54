// What it costs a session that meets no deadlock and waits for nobody that lockstep is preloaded:
// one prepared SELECT by key (pgbench -S -M prepared), on two private servers in turn, in one run.
// Exit status: 0 measured, 1 a row was wrong, 2 the benchmark could not run. Times decide nothing.
#include "common/bar.hpp"
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "common/screen.hpp"
#include "common/session.hpp"
#include "common/statistics.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;
using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;

struct options {
    milliseconds window{2000};
    int repetitions = 9;
    std::uint64_t seed = 0; // 0: another one each time
    std::string output = LOCKSTEP_BENCH_FOLDER;
    std::string folder = LOCKSTEP_BENCH_FOLDER "/preload";
};

void be_short(options &wanted, milliseconds window, int repetitions) {
    wanted.window = window;
    wanted.repetitions = repetitions;
}

constexpr char purpose[] =
    "Reads rows by their key on a private server with lockstep preloaded and on one without, and "
    "measures what a statement costs the server's process.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "short, five times each", [&] { be_short(wanted, milliseconds(500), 5); });
    line.kind("--tiny", "a few statements: whether it runs, no times",
              [&] { be_short(wanted, milliseconds(20), 1); });
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "preload.json goes");
    line.folder(wanted.folder);
}

constexpr int table_rows = 100'000;
constexpr std::size_t kinds = 2; // without, with
constexpr std::array<const char *, kinds> names{"without", "preloaded"};

// A server, and one connection to it.
class contestant {
  public:
    contestant(const std::string &folder, bool preloaded)
        : server_(folder, settings(preloaded)),
          link_(fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres", server_.port()),
                "bench") {
        link_.run("CREATE TABLE account (id int PRIMARY KEY, balance int, filler char(84))");
        link_.run(fmt::format(
            "INSERT INTO account SELECT i, i, '' FROM generate_series(1, {}) AS i", table_rows));
        link_.run("VACUUM ANALYZE account");
        link_.prepare("read", "SELECT balance FROM account WHERE id = $1::int");
    }

    [[nodiscard]] session &link() { return link_; }

    struct figures {
        double rate;         // statements a second
        double microseconds; // of the server's process, user and system, for each
        bool right;
    };
    figures measure(milliseconds window, std::mt19937_64 &random) {
        std::uniform_int_distribution<int> keys(1, table_rows);
        std::size_t count = 0;
        bool right = true;
        const auto cpu = nanoseconds_run();
        const auto begin = clock_type::now();
        while (clock_type::now() - begin < window) {
            const std::array<value, 1> key{{{std::to_string(keys(random))}}};
            right = link_.run_prepared("read", key).text(0, 0) == key[0].bytes && right;
            ++count;
        }
        const std::chrono::duration<double> took = clock_type::now() - begin;
        constexpr double nanoseconds = 1000;
        const auto counted = static_cast<double>(count);
        return {counted / took.count(),
                static_cast<double>(nanoseconds_run() - cpu) / nanoseconds / counted, right};
    }

  private:
    static std::vector<std::string> settings(bool preloaded) {
        std::vector<std::string> all{"autovacuum = off", "shared_buffers = '128MB'"};
        if (preloaded)
            all.emplace_back("shared_preload_libraries = 'lockstep'");
        return all;
    }

    // Noise of others does not touch it.
    [[nodiscard]] std::int64_t nanoseconds_run() const {
        std::ifstream file(fmt::format("/proc/{}/schedstat", link_.pid()));
        std::int64_t run = 0;
        if (!(file >> run))
            throw std::runtime_error("the time of the server's process cannot be read");
        return run;
    }

    private_cluster server_;
    session link_;
};

int run(const options &wanted) {
    screen out;
    out.print("\nWhat preload costs where nothing deadlocks\n\n");
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    out.setting("machine", load_of_machine());
    out.step("starting two private servers");
    std::filesystem::create_directories(wanted.output);
    std::array<std::unique_ptr<contestant>, kinds> all;
    for (std::size_t i = 0; i < kinds; ++i)
        all[i] = std::make_unique<contestant>(wanted.folder + "_" + names[i], i == 1);
    out.setting("server", fmt::format("PostgreSQL {}, private; one connection to each",
                                      all[0]->link().run("SHOW server_version").text(0, 0)));
    out.setting("statement", "one row of 100,000 by its key, prepared, as pgbench -S -M prepared");
    out.setting("order", fmt::format("in turn, in random order, seed {}", seed));

    std::mt19937_64 random(seed);
    std::array<std::vector<double>, kinds> rates;
    std::array<std::vector<double>, kinds> costs;
    bool right = true;
    std::array<std::size_t, kinds> order{0, 1};
    for (const auto &one : all)
        static_cast<void>(one->measure(wanted.window / 2, random));
    for (int turn = 1; turn <= wanted.repetitions; ++turn) {
        std::shuffle(order.begin(), order.end(), random);
        for (const auto which : order) {
            check_not_interrupted();
            out.step(fmt::format("turn {} of {}, {}", turn, wanted.repetitions, names[which]));
            const auto found = all[which]->measure(wanted.window, random);
            rates[which].push_back(found.rate);
            costs[which].push_back(found.microseconds);
            right = right && found.right;
        }
    }
    nlohmann::ordered_json told{{"seed", seed}};
    out.print(fmt::format("\n{:12}{:>28}{:>36}\n", "", "statements a second",
                          "us of the server's process for each"));
    for (std::size_t i = 0; i < kinds; ++i) {
        out.print(fmt::format("{:12}{:>28}{:>36}\n", names[i], with_spread(rates[i]),
                              with_spread(costs[i])));
        told["statements_a_second"][names[i]] = rates[i];
        told["microseconds_of_a_statement"][names[i]] = costs[i];
    }
    out.print(fmt::format("{:12}{:>28.3f}{:>36.3f}\n", "times", median(rates[1]) / median(rates[0]),
                          median(costs[1]) / median(costs[0])));
    write_file(wanted.output + "/preload.json", told.dump(2) + "\n");
    out.print(right ? "\nEvery row was the one that was asked for.\n"
                    : "\nwrong: another row came\n");
    return right ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-preload", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
