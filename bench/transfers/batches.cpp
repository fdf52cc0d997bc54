#include "transfers/batches.hpp"

#include "common/run.hpp"
#include "transfers/teller.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>

namespace lockstep::bench {
namespace {

using std::chrono::steady_clock;

// Milliseconds from the sending of a call until all answers are there. The order is made before.
double time_of(teller &clerk, workload &work, std::size_t items) {
    const auto order = clerk.order_for(work.next(items));
    const auto began = steady_clock::now();
    clerk.book(order, items);
    return std::chrono::duration<double, std::milli>(steady_clock::now() - began).count();
}

// The first call of a connection, and some after it. Plans and caches are made in the first ones,
// the planner's choice for all later ones after five.
void time_connection(stage &on, batch_cell &into, const std::shared_ptr<const keys> &from) {
    const auto tiny = on.wanted.how_much == extent::tiny;
    const int calls_until_warm = tiny ? 1 : 6;
    const int warm_calls = tiny ? 1 : 5;
    const auto how = into.who.how;
    on.tables.reset(how);
    session link(on.conninfo, "bench batches");
    teller clerk(link, how, true, false);
    workload work(from, into.ids, on.random());
    into.cold_ms.push_back(time_of(clerk, work, into.who.items));
    for (int i = 1; i < calls_until_warm; ++i)
        time_of(clerk, work, into.who.items);
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(warm_calls));
    for (int i = 0; i < warm_calls; ++i)
        times.push_back(time_of(clerk, work, into.who.items));
    into.warm_ms.push_back(median(times));
    on.check(how, into.who.items * static_cast<std::size_t>(calls_until_warm + warm_calls));
}

std::int64_t fewer(std::int64_t rows, const options &wanted) {
    return std::min(rows, wanted.rows);
}

} // namespace

void measure_batches(stage &on) {
    std::vector<batch_cell> cells;
    const auto add = [&](id_kind ids, spread over) {
        for (const auto how : {way::savepoint_batch, way::running_batch, way::netted_batch,
                               way::floor_batch, way::lockstep_batch}) {
            // Thousands of versions of one row, each behind the one before it, take it seconds.
            const bool is_hopeless = over == spread::hot_row && how == way::savepoint_batch;
            if (!is_hopeless)
                cells.push_back({{how, big_batch}, ids, over, {}, {}});
        }
    };
    add(id_kind::ascending, spread::uniform);
    add(id_kind::random, spread::uniform);
    add(id_kind::random, spread::hot_row);
    std::map<spread, std::shared_ptr<const keys>> sources;
    for (const auto over : {spread::uniform, spread::hot_row})
        sources[over] = std::make_shared<const keys>(over, fewer(few_rows, on.wanted));
    for (int turn = 1; turn <= on.wanted.bar_repetitions; ++turn) {
        on.tables.checkpoint_when_due();
        for (const auto i : on.shuffled(cells.size())) {
            check_not_interrupted();
            on.out.step(fmt::format("batches: turn {} of {}, {}, {}", turn,
                                    on.wanted.bar_repetitions, label_of(cells[i].who),
                                    name_of(cells[i])));
            time_connection(on, cells[i], sources[cells[i].over]);
        }
    }
    on.all.batches = std::move(cells);
}

void measure_growth(stage &on) {
    const auto tiny = on.wanted.how_much == extent::tiny;
    const std::size_t transfers = tiny ? 2000 : 200'000; // of a measurement, whatever the size
    const auto how = way::lockstep_batch;
    std::vector<growth_cell> cells;
    for (const auto rows : {fewer(few_rows, on.wanted), on.wanted.rows})
        for (const std::size_t items : {1000, 10'000, 100'000})
            if (items <= transfers)
                cells.push_back({items, rows, {}});
    for (int turn = 1; turn <= on.wanted.repetitions; ++turn) {
        on.tables.checkpoint_when_due();
        for (const auto i : on.shuffled(cells.size())) {
            check_not_interrupted();
            auto &now = cells[i];
            on.out.step(fmt::format("growth: turn {} of {}, {} items between {} rows", turn,
                                    on.wanted.repetitions, with_commas(now.items),
                                    with_commas(static_cast<std::size_t>(now.rows))));
            on.tables.reset(how);
            session link(on.conninfo, "bench growth");
            teller clerk(link, how, true, false);
            workload work(std::make_shared<const keys>(spread::uniform, now.rows),
                          id_kind::ascending, on.random());
            time_of(clerk, work, now.items);
            double milliseconds = 0;
            for (std::size_t done = 0; done < transfers; done += now.items)
                milliseconds += time_of(clerk, work, now.items);
            now.microseconds.push_back(milliseconds * 1000 / static_cast<double>(transfers));
            on.check(how, transfers + now.items);
        }
    }
    on.all.growth = std::move(cells);
}

} // namespace lockstep::bench
