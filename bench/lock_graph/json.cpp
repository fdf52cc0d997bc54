#include "json.hpp"

#include "methods.hpp"

#include <nlohmann/json.hpp>

namespace lockstep::bench {
namespace {

using nlohmann::ordered_json;

ordered_json of_timing(const timing &seen) {
    ordered_json object;
    object["timed_out"] = seen.timed_out;
    if (seen.milliseconds.empty())
        return object;
    object["rows"] = seen.rows;
    object["median_ms"] = median(seen.milliseconds);
    object["p90_ms"] = percentile(seen.milliseconds, 0.9);
    object["ms"] = seen.milliseconds;
    return object;
}

ordered_json of_cell(const cell &state) {
    ordered_json object;
    object["shape"] = name_of(state.which);
    object["waiters"] = state.waiters;
    object["other_locks"] = state.other_locks;
    object["edges"] = state.edges;
    object["lock_graph_rows"] = state.reduced_edges;
    object["held_us_median"] = median(state.held_us);
    object["held_us_p90"] = percentile(state.held_us, 0.9);
    object["most_attempts"] = state.most_attempts;
    object["differences"] = state.differences;
    for (std::size_t i = 0; i < state.timings.size(); ++i)
        object["methods"][all_methods().at(i).key] = of_timing(state.timings[i]);
    return object;
}

} // namespace

void write_json(const options &wanted, const std::string &server_version, std::uint64_t seed,
                const cells &all, const std::vector<bar> &bars) {
    ordered_json document;
    document["server_version"] = server_version;
    document["seed"] = seed;
    document["repetitions"] = wanted.repetitions;
    document["cap_ms"] = wanted.cap.count();
    document["cells"] = ordered_json::array();
    for (const auto &each : all)
        document["cells"].push_back(of_cell(each));
    document["bars"] = json_of(bars);
    write_file(wanted.json, document.dump(1) + "\n");
}

} // namespace lockstep::bench
