#include "transfers/figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

template <class Cell, class Wanted>
const Cell *first_of(const std::vector<Cell> &all, const Wanted &wanted) {
    const auto found = std::find_if(all.begin(), all.end(), wanted);
    return found != all.end() ? &*found : nullptr;
}

std::string flush_of(const conditions &where) {
    return fmt::format("flush {}{}", where.flush ? "on" : "off",
                       where.slower_ms > 0 ? fmt::format(", {} ms slower", where.slower_ms) : "");
}

} // namespace

const cell *find(const results &all, const conditions &where, const contestant &who) {
    return first_of(all.cells,
                    [&](const cell &each) { return each.where == where && each.who == who; });
}

const batch_cell *find(const results &all, const contestant &who, id_kind ids, spread over) {
    return first_of(all.batches, [&](const batch_cell &each) {
        return each.who == who && each.ids == ids && each.over == over;
    });
}

const cost_cell *find(const results &all, const contestant &who, id_kind ids, std::int64_t rows) {
    return first_of(all.costs, [&](const cost_cell &each) {
        return each.who == who && each.ids == ids && each.rows == rows;
    });
}

std::string name_of(const batch_cell &each) {
    return fmt::format("{}, ids {}", name_of(each.over), name_of(each.ids));
}

std::string name_of(const conditions &where) {
    return fmt::format("{}, {} connection{}, {}", name_of(where.over), where.connections,
                       where.connections == 1 ? "" : "s", flush_of(where));
}

std::string without_connections(const conditions &where) {
    return fmt::format("{}, {}", name_of(where.over), flush_of(where));
}

conditions with_connections(conditions where, int connections) {
    where.connections = connections;
    return where;
}

} // namespace lockstep::bench
