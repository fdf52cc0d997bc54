#include "transfers/matrix.hpp"

#include "common/run.hpp"

#include <fmt/format.h>

#include <map>

namespace lockstep::bench {
namespace {

struct load_state {
    conditions where;
    int repetitions = 0;
    std::chrono::milliseconds window{};
};

// The ordinary batches take the size that suits them: with savepoints a long one suffers from the
// row versions that it leaves behind, most of all on a hot row, and gains nothing.
std::vector<contestant> contestants_of(const options &wanted) {
    std::vector<contestant> all;
    if (wanted.how_much != extent::quick)
        all.push_back({way::client_transaction, 1});
    all.insert(all.end(), {{way::plpgsql_call, 1},
                           {way::savepoint_batch, 100},
                           {way::netted_batch, 1000},
                           {way::lockstep_transfer, 1}});
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{10}, std::size_t{100}, std::size_t{1000}, big_batch}) {
        const auto left_out = wanted.how_much == extent::quick  ? size != 1000
                              : wanted.how_much == extent::tiny ? size > 100
                                                                : false;
        if (!left_out)
            all.push_back({way::lockstep_batch, size});
    }
    return all;
}

std::vector<load_state> states_of(const options &wanted) {
    std::vector<load_state> states;
    const auto for_bars = [&](spread over, int connections, bool flush) {
        states.push_back({{over, connections, flush}, wanted.bar_repetitions, wanted.bar_window});
    };
    const auto add = [&](spread over, int connections, bool flush) {
        const conditions where{over, connections, flush};
        for (const auto &each : states)
            if (each.where == where)
                return;
        states.push_back({where, wanted.repetitions, wanted.window});
    };
    for_bars(spread::uniform, 8, true);
    for_bars(spread::uniform, 8, false);
    for_bars(spread::hot_row, 8, true);
    if (wanted.how_much == extent::usual) {
        for (const auto connections : {1, 32}) {
            add(spread::uniform, connections, true);
            add(spread::hot_row, connections, true);
        }
        add(spread::zipf, 8, true);
        add(spread::hot_row, 8, false);
        add(spread::uniform, 1, false);
    }
    if (wanted.how_much == extent::tiny)
        add(spread::zipf, 8, false);
    if (wanted.how_much == extent::full)
        for (const auto flush : {true, false})
            for (const auto over : {spread::uniform, spread::zipf, spread::hot_row})
                for (const auto connections : {1, 8, 32})
                    add(over, connections, flush);
    return states;
}

// One line: the best of ours and of the others.
void tell(stage &on, const conditions &where, const std::vector<cell> &cells) {
    const auto best = [&](bool ours) {
        const cell *found = nullptr;
        for (const auto &each : cells)
            if (is_ours(each.who.how) == ours &&
                (found == nullptr || median(each.rates) > median(found->rates)))
                found = &each;
        return found == nullptr
                   ? std::string()
                   : fmt::format("{} {}/s", label_of(found->who), shortened(median(found->rates)));
    };
    on.out.print(fmt::format("  {:<36} {:<34} {}\n", name_of(where), best(false), best(true)));
}

} // namespace

void measure_once(stage &on, pool &links, cell &into, const std::shared_ptr<const keys> &from,
                  std::chrono::milliseconds window) {
    on.tables.reset(into.who.how);
    load what;
    what.who = into.who;
    what.from = from;
    what.flush = into.where.flush;
    what.slower = std::chrono::milliseconds(into.where.slower_ms);
    what.warm_up = std::min(what.warm_up, window);
    what.window = window;
    what.seed = on.random();
    const auto seen = run_load(links.take(static_cast<std::size_t>(into.where.connections)), what);
    on.check(into.who.how, seen.booked);
    into.rates.push_back(static_cast<double>(seen.transfers) / seen.seconds);
    into.p50_ms.push_back(percentile(seen.calls, 0.5));
    into.p99_ms.push_back(percentile(seen.calls, 0.99));
}

void measure_matrix(stage &on) {
    const auto who = contestants_of(on.wanted);
    const auto states = states_of(on.wanted);
    pool links(on.conninfo);
    std::map<spread, std::shared_ptr<const keys>> sources;
    for (const auto over : {spread::uniform, spread::zipf, spread::hot_row})
        sources[over] = std::make_shared<const keys>(over, on.wanted.rows);
    on.out.print("\n  under load                           the best ordinary way               "
                 "the best of ours\n");
    for (const auto &now : states) {
        std::vector<cell> cells;
        cells.reserve(who.size());
        for (const auto &each : who)
            cells.push_back({now.where, each, {}, {}, {}});
        for (int turn = 1; turn <= now.repetitions; ++turn) {
            on.tables.checkpoint_when_due();
            for (const auto i : on.shuffled(who.size())) {
                check_not_interrupted();
                on.out.step(fmt::format("{}: turn {} of {}, {}", name_of(now.where), turn,
                                        now.repetitions, label_of(who[i])));
                measure_once(on, links, cells[i], sources[now.where.over], now.window);
            }
        }
        tell(on, now.where, cells);
        on.all.cells.insert(on.all.cells.end(), cells.begin(), cells.end());
    }
}

} // namespace lockstep::bench
