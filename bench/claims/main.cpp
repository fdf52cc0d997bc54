// Workers that empty a table of jobs: by lockstep.claim, and by the usual SELECT ... FOR UPDATE
// SKIP LOCKED, on a private server, in one run. Exit status: 0 every job was claimed once, 1 not, 2
// the benchmark could not run. Times decide nothing: they are printed.
#include "claims/queue.hpp"
#include "common/bar.hpp"
#include "common/command_line.hpp"
#include "common/run.hpp"
#include "common/screen.hpp"
#include "common/statistics.hpp"

#include "private_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>

namespace {

using namespace lockstep::bench;
using lockstep::testing::private_cluster;

struct options {
    int workers = 16;
    int jobs = 100'000;
    int dead = 100'000;
    int calls = 5000;
    std::vector<int> claims{1, 10, 100};
    int repetitions = 3;
    std::uint64_t seed = 0; // 0: another one each time
    std::string output = LOCKSTEP_BENCH_FOLDER;
    std::string folder = LOCKSTEP_BENCH_FOLDER "/claims";
};

constexpr char purpose[] =
    "Empties a table of jobs by lockstep.claim and by the usual statement on a "
    "private server, and checks after each that every job was claimed once.";

void ask(command_line &line, options &wanted) {
    line.kind("--quick", "20,000 jobs: some minutes", [&] { wanted.jobs = 20'000; });
    line.number("--workers", wanted.workers, 1, 200, "how many at once");
    line.number("--jobs", wanted.jobs, 1, 10'000'000, "that are ready");
    line.number("--dead", wanted.dead, 1, 10'000'000,
                "jobs done before; each state is measured without them too");
    line.number("--calls", wanted.calls, 1, 10'000'000, "in the measurement of one connection");
    line.numbers("--claims", wanted.claims, 1, 100'000, "most jobs of a claim");
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "claims.json goes");
    line.folder(wanted.folder);
}

// Dead versions stay; the disk is not what is measured.
std::vector<std::string> server_settings() {
    return {"max_connections = 230",
            "fsync = off",
            "autovacuum = off",
            "checkpoint_timeout = '1d'",
            "max_wal_size = '64GB'",
            "min_wal_size = '2GB'",
            "shared_buffers = '256MB'",
            "jit = off",
            "max_parallel_workers_per_gather = 0"};
}

struct cell {
    scene where;
    std::vector<double> rates[2]; // by way
    std::vector<double> server_us[2];
};

double of(const std::vector<double> (&figures)[2], way how) {
    return median(figures[static_cast<int>(how)]);
}

class benchmark {
  public:
    benchmark(const options &wanted, screen &out, const std::string &conninfo, std::uint64_t seed)
        : wanted_(wanted), out_(out), admin_(conninfo, "bench admin"), links_(conninfo),
          random_(seed) {}

    void run() {
        for (const auto by : {indexed::partial, indexed::full})
            for (const int dead : {0, wanted_.dead}) {
                out_.print(fmt::format(
                    "\n{}, {} jobs done before\n  {:<12}{:>14}{:>14}{:>8}{:>16}{:>12}{:>8}\n",
                    by == indexed::partial ? "index on (id) WHERE state = 'ready'"
                                           : "index on (state, id)",
                    with_commas(static_cast<std::size_t>(dead)), "claims of", "usual, jobs/s",
                    "claim, jobs/s", "ratio", "usual, us/job", "claim", "ratio"));
                for (const int claim : wanted_.claims)
                    measure({by, dead, claim, wanted_.jobs});
                measure_calls({by, dead, 1, wanted_.jobs});
            }
    }

    [[nodiscard]] const std::vector<std::string> &wrong() const { return wrong_; }

    [[nodiscard]] std::vector<bar> bars() const {
        bar rate{"nowhere fewer jobs a second than the usual statement (10 % is noise)", ""};
        bar dead{"dead rows slow it down no more than the usual statement (10 % is noise)", ""};
        double least = 1e300;
        double most = 0;
        for (const auto &each : cells_) {
            least = std::min(least, of(each.rates, way::ours) / of(each.rates, way::usual));
            const auto &clean = *std::find_if(cells_.begin(), cells_.end(), [&](const cell &one) {
                return one.where.by == each.where.by && one.where.claim == each.where.claim;
            });
            most = std::max(most,
                            (of(each.server_us, way::ours) / of(clean.server_us, way::ours)) /
                                (of(each.server_us, way::usual) / of(clean.server_us, way::usual)));
        }
        rate.met = least >= 1 / noise;
        rate.figures = fmt::format("the least ratio is {:.2f}", least);
        dead.met = most <= noise;
        dead.figures =
            fmt::format("in processor time, slowed down by at most {:.2f} times as much", most);
        return {rate, dead};
    }

    [[nodiscard]] nlohmann::ordered_json json() const {
        auto list = nlohmann::ordered_json::array();
        for (const auto &each : cells_)
            for (const auto how : {way::usual, way::ours}) {
                const auto i = static_cast<std::size_t>(how);
                list.push_back({{"state", name_of(each.where)},
                                {"way", label_of(how)},
                                {"jobs_per_second", each.rates[i]},
                                {"server_us_per_job", each.server_us[i]}});
            }
        return list;
    }

  private:
    static constexpr double noise = 1.1;

    // In turn and in random order, so that what changes on the machine meanwhile hits both.
    template <class One>
    void in_turns(One one) {
        std::vector<way> order{way::usual, way::ours};
        for (int turn = 0; turn < wanted_.repetitions; ++turn) {
            std::shuffle(order.begin(), order.end(), random_);
            for (const auto how : order) {
                check_not_interrupted();
                one(how);
            }
        }
    }

    void measure(const scene &where) {
        cell made{where, {}, {}};
        in_turns([&](way how) {
            out_.step(name_of(where) + ", " + label_of(how));
            fill(admin_, where);
            const auto seen =
                drain(admin_, links_.take(static_cast<std::size_t>(wanted_.workers)), where, how);
            wrong_.insert(wrong_.end(), seen.wrong.begin(), seen.wrong.end());
            made.rates[static_cast<int>(how)].push_back(seen.jobs_per_second);
            made.server_us[static_cast<int>(how)].push_back(seen.server_us);
        });
        const double rates[] = {of(made.rates, way::usual), of(made.rates, way::ours)};
        const double us[] = {of(made.server_us, way::usual), of(made.server_us, way::ours)};
        out_.print(fmt::format("  {:<12}{:>14}{:>14}{:>8.2f}{:>16.1f}{:>12.1f}{:>8.2f}\n",
                               where.claim, shortened(rates[0]), shortened(rates[1]),
                               rates[1] / rates[0], us[0], us[1], us[1] / us[0]));
        cells_.push_back(made);
    }

    void measure_calls(const scene &where) {
        fill(admin_, where);
        std::vector<double> us[2];
        in_turns([&](way how) {
            us[static_cast<int>(how)].push_back(
                microseconds_of_call(links_.take(1).front(), how, wanted_.calls));
        });
        out_.print(
            fmt::format("  one call alone, one connection: usual {:.1f} us, claim {:.1f} us\n",
                        of(us, way::usual), of(us, way::ours)));
    }

    const options &wanted_;
    screen &out_;
    session admin_;
    pool links_;
    std::mt19937_64 random_;
    std::vector<cell> cells_;
    std::vector<std::string> wrong_;
};

int run(const options &wanted) {
    screen out;
    out.print("\nClaims of jobs, beside the usual FOR UPDATE SKIP LOCKED\n\n");
    const auto seed = wanted.seed != 0 ? wanted.seed : std::random_device{}();
    out.setting("machine", load_of_machine());
    out.step("starting a private server");
    std::filesystem::create_directories(wanted.output);
    const private_cluster server(wanted.folder, server_settings());
    session admin(server.conninfo(), "bench admin");
    admin.run("CREATE EXTENSION lockstep");
    const auto version = admin.run("SHOW server_version");
    const std::string told = version.text(0, 0);
    const auto release = told.substr(0, told.find(' '));
    out.setting("server", fmt::format("PostgreSQL {}, private, gone when this ends", release));
    out.setting("order", fmt::format("ways in turn, in random order, seed {}", seed));
    out.setting("load",
                fmt::format("{} workers, {} jobs; BEGIN, claim, UPDATE, COMMIT; no flush",
                            wanted.workers, with_commas(static_cast<std::size_t>(wanted.jobs))));
    out.setting("figures",
                fmt::format("medians of {}; us: processor time of the server's processes",
                            wanted.repetitions));
    benchmark all(wanted, out, server.conninfo(), seed);
    all.run();
    const auto bars = all.bars();
    out.bars(bars);
    nlohmann::ordered_json document;
    document["server_version"] = release;
    document["seed"] = seed;
    document["cells"] = all.json();
    document["bars"] = json_of(bars);
    document["wrong"] = all.wrong();
    write_file(wanted.output + "/claims.json", document.dump(1) + "\n");
    out.print(fmt::format("\nWritten: {}/claims.json\n", wanted.output));
    for (const auto &each : all.wrong())
        out.print("WRONG: " + each + "\n");
    if (all.wrong().empty())
        out.print("Every job was claimed once.\n");
    return all.wrong().empty() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    return guarded("lockstep-bench-claims", [&] {
        options wanted;
        command_line line(purpose);
        ask(line, wanted);
        if (const auto status = line.read(argc, argv))
            return *status;
        return run(wanted);
    });
}
