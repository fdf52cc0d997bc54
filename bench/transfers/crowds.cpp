#include "transfers/crowds.hpp"

#include "transfers/matrix.hpp"

#include "common/run.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

std::vector<conditions> crowds_of(const options &wanted) {
    if (wanted.how_much == extent::tiny)
        return {{spread::hot_row, 4, true},
                {spread::hot_row, 4, true, slow_flush_ms},
                {spread::uniform, 4, true}};
    return {{spread::hot_row, 1, true},
            {spread::hot_row, 20, true},
            {spread::hot_row, 64, true},
            {spread::hot_row, 1, true, slow_flush_ms},
            {spread::hot_row, 20, true, slow_flush_ms},
            {spread::hot_row, 64, true, slow_flush_ms},
            {spread::uniform, 1, true},
            {spread::uniform, 8, true},
            {spread::uniform, 20, true},
            {spread::uniform, 64, true}};
}

// On the slow disk 64 connections at one row have to come round a few times each.
std::chrono::milliseconds window_of(const conditions &where, const options &wanted) {
    constexpr std::chrono::milliseconds for_slow{2000};
    const auto slow = where.slower_ms > 0 && wanted.how_much != extent::tiny;
    return slow ? std::max(wanted.bar_window, for_slow) : wanted.bar_window;
}

// What the part of the load has measured of the same is part of the median.
cell &cell_of(results &all, const conditions &where, const contestant &who) {
    const auto found = std::ranges::find_if(
        all.cells, [&](const cell &each) { return each.where == where && each.who == who; });
    if (found != all.cells.end())
        return *found;
    return all.cells.emplace_back(cell{where, who, {}, {}, {}});
}

} // namespace

void measure_crowds(stage &on) {
    const std::vector<contestant> who{
        {way::plpgsql_call, 1}, {way::lockstep_transfer, 1}, {way::lockstep_submit, 1}};
    pool links(on.conninfo);
    for (const auto &where : crowds_of(on.wanted)) {
        const auto from = std::make_shared<const keys>(where.over, on.wanted.rows);
        for (const auto &each : who) // the lines of the tables, whoever comes first
            cell_of(on.all, where, each);
        for (int turn = 1; turn <= on.wanted.bar_repetitions; ++turn) {
            on.tables.checkpoint_when_due();
            for (const auto i : on.shuffled(who.size())) {
                check_not_interrupted();
                on.out.step(fmt::format("{}: turn {} of {}, {}", name_of(where), turn,
                                        on.wanted.bar_repetitions, label_of(who[i])));
                measure_once(on, links, cell_of(on.all, where, who[i]), from,
                             window_of(where, on.wanted));
            }
        }
    }
}

} // namespace lockstep::bench
