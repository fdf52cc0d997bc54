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

// What is said of a cell.
using telling = std::string (*)(const cell &);

std::string rates_of_cell(const cell &each) {
    return with_spread(each.rates);
}

std::string calls_of_cell(const cell &each) {
    return fmt::format("{} / {}", shortened(median(each.p50_ms)), shortened(median(each.p99_ms)));
}

// The numbers of connections that were measured with the same keys and commits, least first.
std::vector<int> connections_of(const results &all, const conditions &like) {
    std::vector<int> columns;
    for (const auto &each : all.cells)
        if (with_connections(each.where, like.connections) == like)
            add_once(columns, each.where.connections);
    std::sort(columns.begin(), columns.end());
    return columns;
}

std::string head_of(const std::vector<int> &columns) {
    auto head = first_column("connections");
    for (const auto connections : columns)
        head += column(std::to_string(connections));
    return head + "\n";
}

// One distribution and one kind of commit: a line a contestant, a column a number of connections.
void print_block(screen &out, const results &all, const conditions &like, telling tell) {
    const auto columns = connections_of(all, like);
    if (columns.empty())
        return;
    std::vector<contestant> lines;
    for (const auto &each : all.cells)
        if (with_connections(each.where, like.connections) == like)
            add_once(lines, each.who);
    out.print("\n" + without_connections(like) + "\n" + head_of(columns));
    for (const auto &who : lines) {
        auto line = first_column(label_of(who));
        for (const auto connections : columns) {
            const auto *const seen = find(all, with_connections(like, connections), who);
            line += column(seen != nullptr ? tell(*seen) : "");
        }
        out.print(line + "\n");
    }
}

void print_blocks(screen &out, const results &all, telling tell) {
    for (const auto flush : {true, false})
        for (const auto over : {spread::uniform, spread::zipf, spread::hot_row})
            for (const auto slower_ms : {0, slow_flush_ms})
                print_block(out, all, {over, 1, flush, slower_ms}, tell);
}

// On both disks, the one beside the other.
void print_factors(screen &out, const results &all) {
    const conditions fast{spread::hot_row, 1, true};
    const auto columns = connections_of(all, fast);
    if (columns.empty())
        return;
    out.print("\nHow often transfer goes into submit, one hot row, flush on\n" + head_of(columns));
    for (const auto slower_ms : {0, slow_flush_ms}) {
        auto line =
            first_column(slower_ms == 0 ? std::string("this machine's disk")
                                        : fmt::format("each flush {} ms slower", slower_ms));
        for (const auto connections : columns) {
            const conditions where{spread::hot_row, connections, true, slower_ms};
            const auto *const ours = find(all, where, {way::lockstep_submit, 1});
            const auto *const theirs = find(all, where, {way::lockstep_transfer, 1});
            line +=
                column(ours == nullptr || theirs == nullptr
                           ? ""
                           : fmt::format("{:.2f}", median(ours->rates) / median(theirs->rates)));
        }
        out.print(line + "\n");
    }
    out.print(fmt::format("  Slower is a setting, not a disk: commit_delay = {}, commit_siblings ="
                          " 0, fsync = on. The server sleeps\n  {} ms before each flush, with the"
                          " lock that all flushes need; commits that come meanwhile join it.\n",
                          slow_flush_ms * 1000, slow_flush_ms));
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
    print_blocks(out, all, rates_of_cell);
}

void print_crowds(screen &out, const results &all) {
    print_cells(out, all);
    out.print("\nMilliseconds a call, p50 / p99: medians of what each measurement had\n");
    print_blocks(out, all, calls_of_cell);
    print_factors(out, all);
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
