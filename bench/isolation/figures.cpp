#include "isolation/figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

constexpr double noise = 1.1; // so much is not a difference

// Of the transfers by Lockstep that are meant: at that level, or at all.
bar none_of(const results &all, const std::string &what, const std::vector<level> &levels,
            double load_seen::*figure) {
    bar result{what, "", false};
    double most = 0;
    for (const auto &each : all.cells)
        if (each.which.how == manner::lockstep &&
            std::find(levels.begin(), levels.end(), each.which.at) != levels.end()) {
            result.measured = true;
            most = std::max(most, percentile(each_turn(each, figure), 1));
        }
    result.met = most <= 0;
    result.figures = fmt::format("at most {:.2f} for 100 commits", most);
    return result;
}

bar as_many_as_updates(const results &all, level at) {
    bar result{"everywhere as many as UPDATEs by key (10 % is noise), " + label_of(at), "", false};
    std::vector<double> ratios;
    for (const auto &where : all.scenes) {
        const auto *const ours = find(all, where, {manner::lockstep, at});
        const auto *const theirs = find(all, where, {manner::ordered, at});
        if (ours != nullptr && theirs != nullptr &&
            median(*theirs, &load_seen::commits_per_second) > 0)
            ratios.push_back(median(*ours, &load_seen::commits_per_second) /
                             median(*theirs, &load_seen::commits_per_second));
    }
    if (ratios.empty())
        return result;
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    result.measured = true;
    result.met = *least * noise >= 1;
    result.figures =
        fmt::format("{:.2f} times ({:.2f}..{:.2f})", geometric_mean(ratios), *least, *most);
    return result;
}

} // namespace

const cell *find(const results &all, const conditions &where, const way &which) {
    const auto found = std::find_if(all.cells.begin(), all.cells.end(), [&](const cell &each) {
        return each.where == where && each.which == which;
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
    return fmt::format("{} connection{}, flush {}", where.connections,
                       where.connections == 1 ? "" : "s", where.flush ? "on" : "off");
}

std::vector<bar> bars_of(const results &all) {
    return {none_of(all, "no transfer at READ COMMITTED is a 40001", {level::read_committed},
                    &load_seen::serialization),
            none_of(all, "no transfer deadlocks, at any level",
                    {level::read_committed, level::repeatable_read, level::serializable},
                    &load_seen::deadlocks),
            as_many_as_updates(all, level::read_committed)};
}

std::vector<panel> panels_of(const results &all) {
    std::vector<panel> panels;
    for (const auto &where : all.scenes) {
        panel commits{name_of(where) + ": commits a second", {}, 100, 100'000};
        for (const auto &which : all_ways())
            if (const auto *const seen = find(all, where, which))
                commits.bars.push_back({label_of(which), which.how == manner::lockstep,
                                        each_turn(*seen, &load_seen::commits_per_second)});
        panels.push_back(commits);
    }
    return panels;
}

} // namespace lockstep::bench
