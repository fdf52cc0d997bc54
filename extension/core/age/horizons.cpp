#include "core/age/horizons.hpp"

#include <set>
#include <unordered_map>

namespace lockstep::age {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

std::int32_t leader_of(std::span<const horizon_holder> holders, std::int32_t index) {
    const std::int32_t group = holders[at(index)].group;
    return group < 0 ? index : group;
}

// By holder: the one whose running transaction its snapshot repeats, or -1. Only one that holds
// rows itself can answer for others.
std::vector<std::int32_t> echoes_of(std::span<const horizon_holder> holders) {
    std::unordered_map<xid_place, std::int32_t> running;
    for (std::size_t i = 0; i < holders.size(); ++i)
        if (holders[i].xid != nowhere && holders[i].kind != holder_kind::parallel_worker &&
            (holders[i].reaches == reach::database || holders[i].reaches == reach::everything))
            running.emplace(holders[i].xid, static_cast<std::int32_t>(i));
    std::vector<std::int32_t> origins(holders.size(), -1);
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const horizon_holder &one = holders[i];
        // What is older than the snapshot it does not repeat.
        if (!one.is_fleeting || one.xmin == nowhere || one.xid <= one.xmin ||
            one.catalog_xmin < one.xmin)
            continue;
        const auto origin = running.find(one.xmin);
        const auto index = static_cast<std::int32_t>(i);
        if (origin != running.end() &&
            leader_of(holders, origin->second) != leader_of(holders, index) &&
            one.snapshot_from > holders[at(origin->second)].began_by)
            origins[i] = origin->second;
    }
    return origins;
}

// A holder, or the half of one that another's end takes away.
struct part {
    horizon_holder what;
    std::int32_t answers; // index of the holder that answers for it
};

std::vector<part> parts_of(std::span<const horizon_holder> holders,
                           const std::vector<std::int32_t> &origins) {
    std::vector<part> parts;
    for (std::size_t i = 0; i < holders.size(); ++i) {
        part own{holders[i], leader_of(holders, static_cast<std::int32_t>(i))};
        if (origins[i] >= 0) {
            part echo{holders[i], leader_of(holders, origins[i])};
            echo.what.xid = echo.what.catalog_xmin = own.what.xmin = nowhere;
            parts.push_back(echo);
        }
        parts.push_back(own);
    }
    return parts;
}

// Finds who holds one horizon, and how far it would go on without him.
void add_horizon(const std::vector<part> &parts, const horizon &line, xid_place next,
                 std::vector<holding> &to) {
    if (line.at == nowhere)
        return;
    std::set<std::int32_t> at_fault;
    for (const part &one : parts)
        if (place_in(one.what, line) == line.at)
            at_fault.insert(one.answers);
    for (const std::int32_t index : at_fault)
        to[at(index)].oldest_for.push_back(line);
    // Of several none frees anything alone.
    if (at_fault.size() != 1 || line.kind == horizon_kind::subtrans)
        return;
    xid_place second = next;
    for (const part &one : parts)
        if (one.answers != *at_fault.begin())
            second = std::min(second, place_in(one.what, line));
    holding &only = to[at(*at_fault.begin())];
    only.gain = std::max(only.gain, second - line.at);
}

} // namespace

xid_place place_in(const horizon_holder &one, const horizon &line) {
    if (one.reaches == reach::nothing || one.is_look)
        return nowhere;
    switch (line.kind) {
    case horizon_kind::data:
        if (one.reaches == reach::everything ||
            (one.reaches == reach::database && one.database == line.database && line.database != 0))
            return one.rows();
        return nowhere;
    case horizon_kind::catalogs:
        if (one.reaches == reach::everything || one.reaches == reach::catalogs)
            return one.oldest();
        return one.reaches == reach::database && one.database == line.database && line.database != 0
                   ? one.rows()
                   : nowhere;
    case horizon_kind::shared_catalogs:
        return one.reaches == reach::subtrans_only ? nowhere : one.oldest();
    case horizon_kind::subtrans: return one.oldest();
    }
    return nowhere;
}

std::vector<horizon> horizons_of(std::span<const horizon_holder> holders) {
    std::set<std::uint32_t> databases{0};
    for (const horizon_holder &one : holders)
        if (one.reaches == reach::database && !one.is_look)
            databases.insert(one.database);
    std::vector<horizon> lines;
    for (const horizon_kind kind : {horizon_kind::data, horizon_kind::catalogs})
        for (const std::uint32_t database : databases)
            lines.push_back({kind, database, nowhere});
    lines.push_back({horizon_kind::shared_catalogs, 0, nowhere});
    lines.push_back({horizon_kind::subtrans, 0, nowhere});
    for (horizon &line : lines)
        for (const horizon_holder &one : holders)
            line.at = std::min(line.at, place_in(one, line));
    return lines;
}

std::vector<holding> holdings_of(std::span<const horizon_holder> holders, xid_place next) {
    std::vector<holding> found(holders.size());
    const std::vector<std::int32_t> origins = echoes_of(holders);
    for (std::size_t i = 0; i < holders.size(); ++i)
        found[i].echo_of = origins[i];
    const std::vector<horizon> lines = horizons_of(holders);
    const std::vector<part> parts = parts_of(holders, origins);
    for (const horizon &line : lines)
        add_horizon(parts, line, next, found);
    const auto has_all = [&](const holding &one, horizon_kind kind) {
        const auto of_kind = [kind](const horizon &line) { return line.kind == kind; };
        return std::ranges::count_if(one.oldest_for, of_kind) ==
               std::ranges::count_if(lines, of_kind);
    };
    for (holding &one : found) {
        one.has_all_data = has_all(one, horizon_kind::data);
        one.has_all_catalogs = has_all(one, horizon_kind::catalogs);
    }
    return found;
}

std::vector<std::string_view> reach_names(const horizon_holder &one) {
    if (one.is_frozen_limit)
        return {"datfrozenxid"};
    if (one.oldest() == nowhere)
        return {};
    switch (one.reaches) {
    case reach::nothing: return {};
    case reach::database:
        if (one.database == 0)
            return {"shared catalogs", "pg_subtrans"};
        return {"data", "catalogs", "shared catalogs", "pg_subtrans"};
    case reach::everything: return {"all data", "all catalogs", "shared catalogs", "pg_subtrans"};
    case reach::catalogs: return {"all catalogs", "shared catalogs", "pg_subtrans"};
    case reach::subtrans_only: return {"pg_subtrans"};
    }
    return {};
}

} // namespace lockstep::age
