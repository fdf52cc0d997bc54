#include "isolation/report.hpp"

#include <fmt/format.h>

namespace lockstep::bench {
namespace {

using nlohmann::ordered_json;

ordered_json of_figure(const cell &of, double load_seen::*figure) {
    const auto values = each_turn(of, figure);
    ordered_json object;
    object["median"] = median(values);
    object["least"] = percentile(values, 0);
    object["most"] = percentile(values, 1);
    object["all"] = values;
    return object;
}

ordered_json of_cell(const cell &each) {
    ordered_json object;
    object["connections"] = each.where.connections;
    object["flush"] = each.where.flush;
    object["way"] = key_of(each.which.how);
    object["isolation"] = name_of(each.which.at);
    object["commits_per_second"] = of_figure(each, &load_seen::commits_per_second);
    object["40001_per_100_commits"] = of_figure(each, &load_seen::serialization);
    object["40P01_per_100_commits"] = of_figure(each, &load_seen::deadlocks);
    object["p50_ms"] = of_figure(each, &load_seen::p50_ms);
    object["p99_ms"] = of_figure(each, &load_seen::p99_ms);
    object["server_us_per_commit"] = of_figure(each, &load_seen::server_us);
    return object;
}

} // namespace

void print_scene(screen &out, const results &all, const conditions &where) {
    out.print(fmt::format("\n{}\n  {:<38}{:>24}{:>7}{:>8}{:>8}{:>9}{:>9}{:>8}\n", name_of(where),
                          "", "commits/s (least..most)", "times", "40001", "40P01", "p50 ms",
                          "p99 ms", "cpu us"));
    for (const auto &which : all_ways()) {
        const auto *const seen = find(all, where, which);
        const auto *const base = find(all, where, {which.how, level::read_committed});
        if (seen == nullptr || base == nullptr)
            continue;
        const auto middle = [&](double load_seen::*figure) { return median(*seen, figure); };
        out.print(fmt::format(
            "  {:<38}{:>24}{:>7.2f}{:>8.1f}{:>8.2f}{:>9}{:>9}{:>8.0f}\n", label_of(which),
            with_spread(each_turn(*seen, &load_seen::commits_per_second)),
            middle(&load_seen::commits_per_second) / median(*base, &load_seen::commits_per_second),
            middle(&load_seen::serialization), middle(&load_seen::deadlocks),
            shortened(middle(&load_seen::p50_ms)), shortened(middle(&load_seen::p99_ms)),
            middle(&load_seen::server_us)));
    }
}

bool print_verdict(screen &out, const results &all) {
    for (const auto &each : all.wrong)
        out.print("  " + each + "\n");
    out.print(all.wrong.empty()
                  ? "\nAfter every measurement: what was acknowledged is there, once, and the sums "
                    "hold\n\n"
                  : fmt::format("\nWRONG: {}\n\n", all.wrong.size()));
    return all.wrong.empty();
}

void write_json(const std::string &path, const std::string &server_version, std::uint64_t seed,
                const results &all, const std::vector<bar> &bars) {
    ordered_json document;
    document["server_version"] = server_version;
    document["seed"] = seed;
    document["cells"] = ordered_json::array();
    for (const auto &each : all.cells)
        document["cells"].push_back(of_cell(each));
    document["bars"] = json_of(bars);
    document["wrong"] = all.wrong;
    write_file(path, document.dump(1) + "\n");
}

} // namespace lockstep::bench
