#include "transfers/costs.hpp"

#include "common/run.hpp"
#include "transfers/teller.hpp"

#include <fmt/format.h>

namespace lockstep::bench {
namespace {

std::vector<cost_cell> cells_of(const options &wanted) {
    const auto few = std::min(few_rows, wanted.rows);
    std::vector<cost_cell> cells;
    const auto add = [&](const contestant &who, id_kind ids, std::int64_t rows) {
        cells.push_back({who, ids, rows});
    };
    for (const auto how : all_ways())
        for (const std::size_t items : {std::size_t{1}, std::size_t{1000}, big_batch})
            if (items == 1 ? !is_batch(how) || how == way::lockstep_batch : is_batch(how))
                add({how, items}, id_kind::ascending, few);
    for (const auto how : {way::netted_batch, way::lockstep_batch}) {
        add({how, big_batch}, id_kind::random, few);
        add({how, big_batch}, id_kind::ascending, wanted.rows);
    }
    return cells;
}

void measure(stage &on, cost_cell &into) {
    const auto tiny = on.wanted.how_much == extent::tiny;
    const auto items = into.who.items;
    const std::size_t calls = items > 1 ? (tiny ? 1 : 40'000 / items) : (tiny ? 10 : 2000);
    on.tables.reset(into.who.how);
    session link(on.conninfo, "bench costs");
    teller clerk(link, into.who.how, false, false);
    workload work(std::make_shared<const keys>(spread::uniform, into.rows), into.ids, on.random());
    const auto book = [&](std::size_t times) {
        for (std::size_t i = 0; i < times; ++i)
            clerk.book(clerk.order_for(work.next(items)), items);
    };
    const auto before = std::max<std::size_t>(calls / 4, 1); // the journal's first pages
    book(before);
    const auto log_before = on.tables.log_position();
    const auto xid_before = on.tables.next_xid();
    book(calls);
    into.log_bytes = static_cast<double>(on.tables.log_position() - log_before) /
                     static_cast<double>(calls * items);
    into.xids = static_cast<double>(on.tables.next_xid() - xid_before) / static_cast<double>(calls);
    on.check(into.who.how, (before + calls) * items);
}

} // namespace

void measure_costs(stage &on) {
    on.tables.checkpoint_when_due();
    auto cells = cells_of(on.wanted);
    for (auto &each : cells) {
        check_not_interrupted();
        on.out.step(fmt::format("log and transaction ids: {}", label_of(each.who)));
        measure(on, each);
    }
    on.all.costs = std::move(cells);
}

} // namespace lockstep::bench
