#include "transfers/panels.hpp"

namespace lockstep::bench {

std::vector<panel> panels_of(const results &all) {
    std::vector<panel> panels;
    panel big{"8,000 items a call between 1,000 rows, one warm connection, flush on", {}};
    for (const auto &each : all.batches) {
        chart_bar bar{label_of(each.who) + (each.ids == id_kind::random ? ", ids v4" : "") +
                          (each.over == spread::hot_row ? ", one hot row" : ""),
                      is_ours(each.who.how),
                      {}};
        for (const auto ms : each.warm_ms)
            bar.values.push_back(static_cast<double>(each.who.items) * 1000 / ms);
        big.bars.push_back(bar);
    }
    panels.push_back(big);
    for (const auto &where :
         {conditions{spread::uniform, 8, true}, conditions{spread::uniform, 8, false},
          conditions{spread::hot_row, 8, true}}) {
        panel under_load{name_of(where), {}};
        for (const auto &each : all.cells)
            if (each.where == where)
                under_load.bars.push_back({label_of(each.who), is_ours(each.who.how), each.rates});
        panels.push_back(under_load);
    }
    return panels;
}

} // namespace lockstep::bench
