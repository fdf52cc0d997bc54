#include "retry/figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {

const cell *find(const results &all, const conditions &where, way how) {
    const auto found = std::find_if(all.cells.begin(), all.cells.end(), [&](const cell &each) {
        return each.where == where && each.how == how;
    });
    return found != all.cells.end() ? &*found : nullptr;
}

std::vector<double> each_turn(const cell &of, double load_seen::*figure) {
    std::vector<double> values;
    values.reserve(of.turns.size());
    for (const auto &turn : of.turns)
        values.push_back(turn.*figure);
    return values;
}

std::string name_of(const conditions &where) {
    return fmt::format("{}, {} connections, flush {}", label_of(where.what), where.connections,
                       where.flush ? "on" : "off");
}

} // namespace lockstep::bench
