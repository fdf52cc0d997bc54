#include "transfers/bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::bench {
namespace {

constexpr double noise = 1.05; // so much is not a difference
constexpr double aim = 400'000;
constexpr double most_log_bytes = 250;

const contestant ours_big{way::lockstep_batch, big_batch};

double rate_of(const batch_cell &cell) {
    return static_cast<double>(cell.who.items) * 1000 / median(cell.warm_ms);
}

bar of_big_batch(const results &all, way other, double least) {
    bar result{
        fmt::format("8,000 items, warm: at least {} times {}", least, label_of({other, big_batch})),
        "", false};
    for (const auto ids : {id_kind::ascending, id_kind::random}) {
        const auto *const ours = find(all, ours_big, ids);
        const auto *const theirs = find(all, {other, big_batch}, ids);
        if (ours == nullptr || theirs == nullptr)
            continue;
        const auto ratio = rate_of(*ours) / rate_of(*theirs);
        result.figures += fmt::format("{}ids {}: {:.1f} times, {}/s and {}/s",
                                      result.figures.empty() ? "" : "; ", name_of(ids), ratio,
                                      shortened(rate_of(*ours)), shortened(rate_of(*theirs)));
        if (ids == id_kind::ascending)
            result.met = ratio >= least;
        result.measured = true;
    }
    return result;
}

bar of_aim(const results &all) {
    bar result{fmt::format("8,000 items, warm: {} transfers a second", shortened(aim)), "", false};
    if (const auto *const ours = find(all, ours_big, id_kind::ascending)) {
        result.measured = true;
        result.met = rate_of(*ours) >= aim;
        result.figures = fmt::format("{}/s warm, {}/s on the first call of a connection",
                                     shortened(rate_of(*ours)),
                                     shortened(big_batch * 1000 / median(ours->cold_ms)));
    }
    return result;
}

bar of_load(const results &all, const conditions &where, const contestant &ours,
            const std::string &what, double least) {
    bar result{fmt::format("{}: {}", name_of(where), what), "", false};
    const auto *const us = find(all, where, ours);
    const auto *const them = find(all, where, {way::plpgsql_call, 1});
    if (us == nullptr || them == nullptr)
        return result;
    const auto ratio = median(us->rates) / median(them->rates);
    result.measured = true;
    result.met = ratio >= least;
    result.figures = fmt::format("{:.2f} times: {}/s and {}/s", ratio, with_spread(us->rates),
                                 with_spread(them->rates));
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
    bar result{"one transaction id a batch", "", false, true};
    for (const auto &each : all.costs) {
        if (each.who.how != way::lockstep_batch)
            continue;
        result.measured = true;
        result.met = result.met && std::abs(each.xids - 1) < 0.01;
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
    return {of_big_batch(all, way::savepoint_batch, 12),
            of_big_batch(all, way::netted_batch, 2),
            of_aim(all),
            of_load(all, uniform_off, {way::lockstep_transfer, 1},
                    "a transfer at least 1.5 times PL/pgSQL's", 1.5),
            of_load(all, uniform_on, {way::lockstep_transfer, 1},
                    "a transfer no slower than PL/pgSQL's (5 % is noise)", 1 / noise),
            of_load(all, hot, {way::lockstep_batch, 1000},
                    "batches of 1,000 at least 20 times PL/pgSQL calls", 20),
            of_log(all, wanted),
            of_xids(all),
            of_growth(all)};
}

} // namespace lockstep::bench
