#include "edges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace lockstep::bench {
namespace {

// Waiter, and leader of the blocker; 0 is a prepared transaction, as in pg_blocking_pids().
using edge = std::pair<int, int>;

constexpr auto *of_the_server =
    "SELECT pid, unnest(pg_blocking_pids(pid)) FROM pg_stat_activity WHERE pid IN"
    " (SELECT pid FROM pg_locks WHERE NOT granted)";
// pg_blocking_pids() has neither latent edges nor those of a deferrable transaction's snapshot.
constexpr auto *of_lock_graph_all =
    "SELECT waiter_pid, coalesce(blocker_leader_pid, 0) FROM lockstep.lock_graph_all"
    " WHERE edge_kind IN ('hard', 'soft') AND NOT same_group";
constexpr auto *of_lock_graph =
    "SELECT waiter_pid, coalesce(blocker_leader_pid, 0) FROM lockstep.lock_graph"
    " WHERE edge_kind IN ('hard', 'soft') AND NOT same_group";

std::vector<edge> edges_of(const rows &answer) {
    std::vector<edge> edges;
    edges.reserve(static_cast<std::size_t>(answer.count()));
    for (int i = 0; i < answer.count(); ++i)
        edges.emplace_back(answer.integer(i, 0), answer.integer(i, 1));
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
}

std::size_t waiters_of(const std::vector<edge> &edges) {
    std::set<int> waiters;
    for (const auto &[waiter, blocker] : edges)
        waiters.insert(waiter);
    return waiters.size();
}

// What is in the first and not in the second; sorted, both.
void report_missing(const std::vector<edge> &first, const std::vector<edge> &second,
                    const std::string &what, std::vector<std::string> &differences) {
    std::vector<edge> missing;
    std::set_difference(first.begin(), first.end(), second.begin(), second.end(),
                        std::back_inserter(missing));
    if (missing.empty())
        return;
    auto line = fmt::format("{}: {} edges:", what, missing.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(missing.size(), 5); ++i)
        line += fmt::format(" {} waits for {};", missing[i].first, missing[i].second);
    differences.push_back(line + (missing.size() > 5 ? " ..." : ""));
}

void report_waiters(const std::vector<edge> &edges, std::size_t waiters, const std::string &what,
                    std::vector<std::string> &differences) {
    if (const auto seen = waiters_of(edges); seen != waiters)
        differences.push_back(fmt::format("{} has {} waiters of {}", what, seen, waiters));
}

} // namespace

edge_check check_edges(session &monitor, int waiters) {
    edge_check result;
    const auto server = edges_of(monitor.run(of_the_server));
    const auto all = edges_of(monitor.run(of_lock_graph_all));
    const auto answer = monitor.run(of_lock_graph);
    const auto reduced = edges_of(answer);
    result.edges = server.size();
    result.reduced = static_cast<std::size_t>(answer.count());

    auto &found = result.differences;
    report_missing(server, all, "pg_blocking_pids() has them, lock_graph_all has not", found);
    report_missing(all, server, "lock_graph_all has them, pg_blocking_pids() has not", found);
    report_missing(reduced, all, "lock_graph has them, lock_graph_all has not", found);
    const auto expected = static_cast<std::size_t>(waiters);
    report_waiters(server, expected, "pg_blocking_pids()", found);
    report_waiters(reduced, expected, "lock_graph", found);
    return result;
}

} // namespace lockstep::bench
