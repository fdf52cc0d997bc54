#include "transfer/reckoning.hpp"

#include "core/at_most.hpp"
#include "core/sql_error.hpp"
#include "locking/order_guard.hpp"
#include "transfer/numbering.hpp"

#include <string_view>

namespace lockstep {

reckoning::reckoning(movements &all) : all_(all), names_(names_of(all.target, all.keys)) {}

std::optional<refusal> reckoning::apply(std::size_t item) {
    batch_item wanted = all_.items[item];
    if (all_.requests[item].at_most)
        wanted.amount = amount_within_bounds(all_.rows, wanted, all_.target.amount);
    auto no = apply_item(all_.rows, wanted, all_.target.amount, names_, all_.outcomes[item]);
    if (!no)
        all_.items[item].amount = wanted.amount;
    return no;
}

void hold_highest_row(const movements &all) {
    for (std::size_t row = all.rows.size(); row-- > 0;)
        if (all.rows[row].state)
            return hold_row(all.target, all.keys[row]);
}

void keep_answers(movements &all, std::span<const journal_row> rows,
                  std::span<const std::uint32_t> items, TimestampTz now) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::uint32_t item = items[i];
        movement_result &result = all.results[item];
        if (result.status != movement_status::pending)
            continue;
        const char *refused = all.outcomes[item].refused;
        if (refused != nullptr && std::string_view{refused} == state::row_not_found)
            hold_answer_without_row();
        result = {all.ids[item],
                  refused != nullptr ? movement_status::refused : movement_status::applied,
                  refused,
                  rows[i].get(journal_column::amount),
                  rows[i].get(journal_column::from_balance),
                  rows[i].get(journal_column::to_balance),
                  now};
    }
}

} // namespace lockstep
