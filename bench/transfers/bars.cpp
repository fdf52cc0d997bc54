#include "transfers/bars.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

constexpr double noise = 1.05; // so much is not a difference
constexpr double aim = 400'000;
constexpr double most_log_bytes = 250;

// At most 1.1 times what the floor takes.
constexpr double most_above_floor = 1 / 1.1;

const contestant ours_big{way::lockstep_batch, big_batch};

double rate_of(const batch_cell &cell) {
    return static_cast<double>(cell.who.items) * 1000 / median(cell.warm_ms);
}

// How often theirs goes into ours, for each kind of ids and keys; `least` where the ids are random,
// `least_ascending` where they lead with the time, which all ways gain by.
bar of_big_batch(const results &all, const std::string &what, way other, double least,
                 double least_ascending) {
    bar result{"8,000 items, warm: " + what, "", false, true};
    for (const auto &ours : all.batches) {
        const auto *const theirs = find(all, {other, big_batch}, ours.ids, ours.over);
        if (!(ours.who == ours_big) || theirs == nullptr)
            continue;
        const auto ratio = rate_of(ours) / rate_of(*theirs);
        result.figures += fmt::format("{}{}: {:.2f} times, {}/s and {}/s",
                                      result.figures.empty() ? "" : "; ", name_of(ours), ratio,
                                      shortened(rate_of(ours)), shortened(rate_of(*theirs)));
        result.met = result.met && ratio >= (ours.ids == id_kind::random ? least : least_ascending);
        result.measured = true;
    }
    return result;
}

bar of_aim(const results &all) {
    bar result{fmt::format("8,000 items, warm: {} transfers a second", shortened(aim)), "", false};
    if (const auto *const ours = find(all, ours_big, id_kind::ascending, spread::uniform)) {
        result.measured = true;
        result.met = rate_of(*ours) >= aim;
        result.figures = fmt::format("{}/s warm, {}/s on the first call of a connection",
                                     shortened(rate_of(*ours)),
                                     shortened(big_batch * 1000 / median(ours->cold_ms)));
    }
    return result;
}

// How often theirs goes into ours under the same load.
bar of_load(const results &all, const conditions &where, const contestant &ours,
            const contestant &theirs, const std::string &what, double least) {
    bar result{fmt::format("{}: {}", name_of(where), what), "", false};
    const auto *const us = find(all, where, ours);
    const auto *const them = find(all, where, theirs);
    if (us == nullptr || them == nullptr)
        return result;
    const auto ratio = median(us->rates) / median(them->rates);
    result.measured = true;
    result.met = ratio >= least;
    result.figures = fmt::format("{:.2f} times: {}/s and {}/s", ratio, with_spread(us->rates),
                                 with_spread(them->rates));
    return result;
}

// submit, where many meet at one row, and where nobody meets anybody.
bar of_crowd(const results &all, const conditions &where, double least) {
    return of_load(all, where, {way::lockstep_submit, 1}, {way::lockstep_transfer, 1},
                   fmt::format("submit at least {} times transfer", least), least);
}

// Whether waiting in a group is worth it for the slowest, too: a call in a hundred of submit beside
// the usual call of transfer.
bar of_wait(const results &all, const conditions &where) {
    bar result{fmt::format("{}: p99 of submit at most p50 of transfer", name_of(where)), "", false};
    const auto *const ours = find(all, where, {way::lockstep_submit, 1});
    const auto *const theirs = find(all, where, {way::lockstep_transfer, 1});
    if (ours == nullptr || theirs == nullptr)
        return result;
    result.measured = true;
    result.met = median(ours->p99_ms) <= median(theirs->p50_ms);
    result.figures =
        fmt::format("{} ms and {} ms", with_spread(ours->p99_ms), with_spread(theirs->p50_ms));
    return result;
}

bar of_log(const results &all, const options &wanted) {
    bar result{fmt::format("8,000 items: at most {} bytes of log a transfer", most_log_bytes), "",
               false};
    const auto few = std::min(few_rows, wanted.rows);
    for (const auto &each : all.costs) {
        if (!(each.who == ours_big))
            continue;
        result.measured = true;
        if (each.ids == id_kind::ascending && each.rows == few)
            result.met = each.log_bytes <= most_log_bytes;
        result.figures += fmt::format(
            "{}{:.0f} (ids {}, {} rows)", result.figures.empty() ? "" : ", ", each.log_bytes,
            name_of(each.ids), with_commas(static_cast<std::size_t>(each.rows)));
    }
    return result;
}

bar of_xids(const results &all) {
    bar result{"two transaction ids a batch at most", "", false, true};
    for (const auto &each : all.costs) {
        if (each.who.how != way::lockstep_batch)
            continue;
        result.measured = true;
        result.met = result.met && each.xids < 2.01;
        result.figures += fmt::format("{}{:.2f} ({} items)", result.figures.empty() ? "" : ", ",
                                      each.xids, with_commas(each.who.items));
    }
    return result;
}

// For each ledger the largest batch beside the smallest.
bar of_growth(const results &all) {
    bar result{"a transfer costs no more in a batch of 100,000 than of 1,000", "", false, true};
    for (const auto &large : all.growth) {
        if (large.items != 100'000)
            continue;
        const auto small =
            std::find_if(all.growth.begin(), all.growth.end(), [&](const auto &each) {
                return each.items == 1000 && each.rows == large.rows;
            });
        if (small == all.growth.end())
            continue;
        const auto before = median(small->microseconds);
        const auto after = median(large.microseconds);
        result.measured = true;
        result.met = result.met && after <= before * noise;
        result.figures +=
            fmt::format("{}{:.2f} us and {:.2f} us ({} rows)", result.figures.empty() ? "" : ", ",
                        before, after, with_commas(static_cast<std::size_t>(large.rows)));
    }
    return result;
}

} // namespace

std::vector<bar> bars_of(const results &all, const options &wanted) {
    const conditions uniform_off{spread::uniform, 8, false};
    const conditions uniform_on{spread::uniform, 8, true};
    const conditions hot{spread::hot_row, 8, true};
    const contestant calls{way::plpgsql_call, 1};
    return {of_big_batch(all, "at least 18 times the savepoints (ids v7: 16)", way::savepoint_batch,
                         18, 16),
            of_big_batch(all, "at least 2.5 times the netted SQL (ids v7: 1.8)", way::netted_batch,
                         2.5, 1.8),
            of_big_batch(all, "at most 1.1 times what the plain INSERT and UPDATE take",
                         way::floor_batch, most_above_floor, most_above_floor),
            of_aim(all),
            of_load(all, uniform_off, {way::lockstep_transfer, 1}, calls,
                    "a transfer at least 1.5 times PL/pgSQL's", 1.5),
            of_load(all, uniform_on, {way::lockstep_transfer, 1}, calls,
                    "a transfer no slower than PL/pgSQL's (5 % is noise)", 1 / noise),
            of_load(all, hot, {way::lockstep_batch, 1000}, calls,
                    "batches of 1,000 at least 20 times PL/pgSQL calls", 20),
            of_crowd(all, {spread::hot_row, 20, true}, 8),
            of_crowd(all, {spread::hot_row, 64, true}, 20),
            of_wait(all, {spread::hot_row, 20, true}),
            of_wait(all, {spread::hot_row, 20, true, slow_flush_ms}),
            of_crowd(all, {spread::uniform, 1, true}, 0.95),
            of_crowd(all, {spread::uniform, 8, true}, 0.95),
            of_crowd(all, {spread::uniform, 20, true}, 0.95),
            of_crowd(all, {spread::uniform, 64, true}, 0.95),
            of_log(all, wanted),
            of_xids(all),
            of_growth(all)};
}

} // namespace lockstep::bench
