#include "report.hpp"

#include "methods.hpp"

#include <fmt/format.h>

#include <functional>

namespace lockstep::bench {
namespace {

constexpr int label_width = 28;
constexpr int column_width = 17;

std::string rows_text(const cell &state, std::size_t method) {
    const auto &seen = state.timings.at(method);
    return seen.timed_out ? "-" : with_commas(seen.rows);
}

} // namespace

void report::title() {
    print("\nThe lock graph, beside the ordinary ways to ask who waits for whom\n\n");
}

void report::measured(const cell &state) {
    const auto &ours = state.timings.at(position::graph);
    const auto &theirs = state.timings.at(position::blocking_pids);
    print(fmt::format("  {:<46} lock_graph {:>6} ms   pg_blocking_pids {:>6} ms   {}\n",
                      name_of(state), in_milliseconds(median(ours.milliseconds)),
                      in_milliseconds(median(theirs.milliseconds)),
                      state.differences.empty() ? "same edges" : "OTHER EDGES"));
}

std::string report::timing_text(const timing &seen) const {
    if (seen.timed_out)
        return fmt::format("> {} s", static_cast<double>(wanted_.cap.count()) / 1000);
    const auto few = static_cast<int>(seen.milliseconds.size()) < wanted_.repetitions;
    return fmt::format("{}{} {:>7}", few ? "~" : "", in_milliseconds(median(seen.milliseconds)),
                       in_milliseconds(percentile(seen.milliseconds, 0.9)));
}

// One shape: a line a method, a column a number of waiters.
void report::block(const cells &all, shape which, int other_locks) {
    std::vector<const cell *> columns;
    for (const auto waiters : wanted_.waiters)
        if (const auto *const state = find(all, which, waiters, other_locks))
            columns.push_back(state);
    const auto line = [&](const std::string &label,
                          const std::function<std::string(const cell &)> &text) {
        std::string whole = fmt::format("  {:<{}}", label, label_width);
        for (const auto *const state : columns)
            whole += fmt::format("{:>{}}", text(*state), column_width);
        print(whole + "\n");
    };
    print(fmt::format("\n{}: {}\n", name_of(which), told(which)));
    print(fmt::format("  {} other locks\n", with_commas(static_cast<std::size_t>(other_locks))));
    line("N",
         [](const cell &state) { return with_commas(static_cast<std::size_t>(state.waiters)); });
    line("", [](const cell &) { return "median     p90"; });
    for (std::size_t i = 0; i < all_methods().size(); ++i)
        line(all_methods()[i].label,
             [&](const cell &state) { return timing_text(state.timings.at(i)); });
    line("edges, all", [](const cell &state) { return with_commas(state.edges); });
    line("rows of lock_graph", [](const cell &state) { return with_commas(state.reduced_edges); });
    // The query loses all who wait for a prepared transaction.
    line("rows of lock_tree", [](const cell &state) { return rows_text(state, position::tree); });
    line("rows of lock-tree query",
         [](const cell &state) { return rows_text(state, position::tree_query); });
    line("lock manager held, us", [](const cell &state) {
        return fmt::format("{:.0f} {:>7.0f}", median(state.held_us),
                           percentile(state.held_us, 0.9));
    });
}

void report::table(const cells &all) {
    print(fmt::format("\nMilliseconds until all rows are with the client, {} runs each "
                      "(~: fewer, because it is slow)\n",
                      wanted_.repetitions));
    for (const auto which : wanted_.shapes) {
        block(all, which, 0);
        if (wanted_.other_locks > 0)
            block(all, which, wanted_.other_locks);
    }
}

bool report::verdict(const cells &all) {
    std::size_t edges = 0;
    std::size_t wrong = 0;
    for (const auto &state : all) {
        edges += state.edges;
        if (state.differences.empty())
            continue;
        ++wrong;
        print(fmt::format("\n{}\n", name_of(state)));
        for (const auto &difference : state.differences)
            print("  " + difference + "\n");
    }
    print(fmt::format("\nStates: {}, edges: {}; {}\n\n", all.size(), with_commas(edges),
                      wrong == 0 ? "lock_graph_all has those of pg_blocking_pids(), every one"
                                 : fmt::format("the edges are wrong, states: {}", wrong)));
    return wrong == 0 && !all.empty();
}

} // namespace lockstep::bench
