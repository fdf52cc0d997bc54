#include "transfers/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::bench {
namespace {

constexpr int label_width = 34;
constexpr int column_width = 24;

std::string first_column(const std::string &label) {
    return fmt::format("  {:<{}}", label, label_width);
}

std::string column(const std::string &text) {
    return fmt::format("{:>{}}", text, column_width);
}

template <class T>
void add_once(std::vector<T> &list, const T &one) {
    if (std::find(list.begin(), list.end(), one) == list.end())
        list.push_back(one);
}

// One distribution and one kind of commit: a line a contestant, a column a number of connections.
void print_block(screen &out, const results &all, spread over, bool flush) {
    std::vector<int> columns;
    std::vector<contestant> lines;
    for (const auto &each : all.cells) {
        if (each.where.over != over || each.where.flush != flush)
            continue;
        add_once(columns, each.where.connections);
        add_once(lines, each.who);
    }
    if (columns.empty())
        return;
    std::sort(columns.begin(), columns.end());
    auto head = first_column("connections");
    for (const auto connections : columns)
        head += column(std::to_string(connections));
    out.print(fmt::format("\n{}, flush {}\n{}\n", name_of(over), flush ? "on" : "off", head));
    for (const auto &who : lines) {
        auto line = first_column(label_of(who));
        for (const auto connections : columns) {
            const auto *const seen = find(all, {over, connections, flush}, who);
            line += column(seen != nullptr ? with_spread(seen->rates) : "");
        }
        out.print(line + "\n");
    }
}

std::vector<double> rates_of(const std::vector<double> &milliseconds, std::size_t items) {
    std::vector<double> rates;
    rates.reserve(milliseconds.size());
    for (const auto each : milliseconds)
        rates.push_back(static_cast<double>(items) * 1000 / each);
    return rates;
}

} // namespace

void print_cells(screen &out, const results &all) {
    out.print("\nTransfers a second that were committed: median (least..most)\n");
    for (const auto flush : {true, false})
        for (const auto over : {spread::uniform, spread::zipf, spread::hot_row})
            print_block(out, all, over, flush);
}

void print_batches(screen &out, const results &all) {
    out.print(
        fmt::format("\n8,000 items a call between {} rows, one connection, flush on\n{}{}{}{}\n",
                    with_commas(few_rows), first_column(""), column("warm, ms a call"),
                    column("warm, transfers/s"), column("first call, ms")));
    for (const auto &each : all.batches)
        out.print(fmt::format("{}{}{}{}   {}\n", first_column(label_of(each.who)),
                              column(with_spread(each.warm_ms)),
                              column(with_spread(rates_of(each.warm_ms, each.who.items))),
                              column(with_spread(each.cold_ms)), name_of(each)));
}

void print_costs(screen &out, const results &all) {
    out.print(fmt::format("\nWhat is written, one connection, after the first touch of every page\n"
                          "{}{}{}\n",
                          first_column(""), column("log, bytes a transfer"),
                          column("xids a call")));
    for (const auto &each : all.costs)
        out.print(fmt::format("{}{}{}   ids {}, {} rows\n", first_column(label_of(each.who)),
                              column(fmt::format("{:.0f}", each.log_bytes)),
                              column(fmt::format("{:.2f}", each.xids)), name_of(each.ids),
                              with_commas(static_cast<std::size_t>(each.rows))));
}

void print_growth(screen &out, const results &all) {
    out.print(fmt::format("\nlockstep transfer_batch as it grows, microseconds a transfer\n"));
    for (const auto &each : all.growth)
        out.print(fmt::format(
            "{}{}\n",
            first_column(fmt::format("{} items between {} rows", with_commas(each.items),
                                     with_commas(static_cast<std::size_t>(each.rows)))),
            column(with_spread(each.microseconds))));
}

bool print_verdict(screen &out, const results &all) {
    for (const auto &each : all.wrong)
        out.print("  " + each + "\n");
    out.print(all.wrong.empty() ? "\nAfter every measurement: the sums are unchanged, every"
                                  " acknowledged transfer is in its journal, and verify_ledger"
                                  " finds nothing\n\n"
                                : fmt::format("\nWRONG: {}\n\n", all.wrong.size()));
    return all.wrong.empty();
}

} // namespace lockstep::bench
