#include "transfers/json.hpp"

namespace lockstep::bench {
namespace {

using nlohmann::ordered_json;

ordered_json of_values(const std::vector<double> &values) {
    ordered_json object;
    object["median"] = median(values);
    object["least"] = percentile(values, 0);
    object["most"] = percentile(values, 1);
    object["all"] = values;
    return object;
}

ordered_json of_contestant(const contestant &who) {
    ordered_json object;
    object["contestant"] = key_of(who.how);
    object["items"] = who.items;
    return object;
}

ordered_json of_cell(const cell &each) {
    auto object = of_contestant(each.who);
    object["keys"] = name_of(each.where.over);
    object["connections"] = each.where.connections;
    object["flush"] = each.where.flush;
    object["flush_slower_ms"] = each.where.slower_ms;
    object["transfers_per_second"] = of_values(each.rates);
    object["call_p50_ms"] = of_values(each.p50_ms);
    object["call_p99_ms"] = of_values(each.p99_ms);
    return object;
}

ordered_json of_batch(const batch_cell &each) {
    auto object = of_contestant(each.who);
    object["ids"] = name_of(each.ids);
    object["keys"] = name_of(each.over);
    object["warm_ms"] = of_values(each.warm_ms);
    object["first_call_ms"] = of_values(each.cold_ms);
    return object;
}

ordered_json of_cost(const cost_cell &each) {
    auto object = of_contestant(each.who);
    object["ids"] = name_of(each.ids);
    object["rows"] = each.rows;
    object["wal_bytes_per_transfer"] = each.log_bytes;
    object["xids_per_call"] = each.xids;
    return object;
}

ordered_json of_growth(const growth_cell &each) {
    ordered_json object;
    object["items"] = each.items;
    object["rows"] = each.rows;
    object["us_per_transfer"] = of_values(each.microseconds);
    return object;
}

template <class Each, class Function>
ordered_json list_of(const std::vector<Each> &all, const Function &one) {
    auto list = ordered_json::array();
    for (const auto &each : all)
        list.push_back(one(each));
    return list;
}

} // namespace

void write_json(const std::string &path, const options &wanted, const std::string &server_version,
                std::uint64_t seed, const results &all, const std::vector<bar> &bars) {
    ordered_json document;
    document["server_version"] = server_version;
    document["seed"] = seed;
    document["ledger_rows"] = wanted.rows;
    document["load"] = list_of(all.cells, of_cell);
    document["batches"] = list_of(all.batches, of_batch);
    document["written"] = list_of(all.costs, of_cost);
    document["growth"] = list_of(all.growth, of_growth);
    document["bars"] = json_of(bars);
    document["wrong"] = all.wrong;
    write_file(path, document.dump(1) + "\n");
}

} // namespace lockstep::bench
