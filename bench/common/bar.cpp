#include "common/bar.hpp"

#include <fstream>
#include <stdexcept>

namespace lockstep::bench {

nlohmann::ordered_json json_of(const std::vector<bar> &all) {
    auto list = nlohmann::ordered_json::array();
    for (const auto &each : all) {
        nlohmann::ordered_json object;
        object["what"] = each.what;
        object["measured"] = each.measured;
        object["met"] = each.met;
        object["figures"] = each.figures;
        list.push_back(object);
    }
    return list;
}

void write_file(const std::string &path, const std::string &text) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file)
        throw std::runtime_error("could not write " + path);
}

} // namespace lockstep::bench
