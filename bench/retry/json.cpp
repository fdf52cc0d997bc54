#include "retry/json.hpp"

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
    object["transaction"] = key_of(each.where.what);
    object["connections"] = each.where.connections;
    object["flush"] = each.where.flush;
    object["way"] = key_of(each.how);
    object["commits_per_second"] = of_figure(each, &load_seen::commits_per_second);
    object["p50_ms"] = of_figure(each, &load_seen::p50_ms);
    object["p95_ms"] = of_figure(each, &load_seen::p95_ms);
    object["p99_ms"] = of_figure(each, &load_seen::p99_ms);
    object["most_ms"] = of_figure(each, &load_seen::most_ms);
    object["felt_ms"] = of_figure(each, &load_seen::felt_ms);
    object["attempts_per_commit"] = of_figure(each, &load_seen::attempts);
    object["attempts_p99"] = of_figure(each, &load_seen::attempts_p99);
    object["server_us_per_commit"] = of_figure(each, &load_seen::server_us);
    object["slowest_connection_share"] = of_figure(each, &load_seen::slowest_share);
    return object;
}

ordered_json of_long_attempts(const long_attempts_seen &each) {
    ordered_json object;
    object["way"] = each.key;
    object["ended_of_15"] = each.ended;
    object["seconds"] = each.seconds;
    object["attempts_each"] = each.attempts;
    return object;
}

} // namespace

void write_json(const std::string &path, const std::string &server_version, std::uint64_t seed,
                const results &all, const long_attempts_results &long_ones,
                const std::vector<bar> &bars) {
    ordered_json document;
    document["server_version"] = server_version;
    document["seed"] = seed;
    document["cells"] = ordered_json::array();
    for (const auto &each : all.cells)
        document["cells"].push_back(of_cell(each));
    document["long_attempts"] = ordered_json::array();
    for (const auto &each : long_ones.ways)
        document["long_attempts"].push_back(of_long_attempts(each));
    document["bars"] = json_of(bars);
    document["wrong"] = all.wrong;
    write_file(path, document.dump(1) + "\n");
}

} // namespace lockstep::bench
