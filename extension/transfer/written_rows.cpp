#include "transfer/written_rows.hpp"

#include "core/sql_error.hpp"
#include "store/rows.hpp"

#include <string>
#include <utility>

namespace lockstep {

item_outcome accepted_outcome(const ledger &target, std::span<const Datum> keys,
                              const batch_item &item, const written_rows &written) {
    const auto seen = [&](std::uint32_t number) -> std::optional<leg> {
        if (number == no_row)
            return std::nullopt;
        if (!written[number])
            explain_unwritten(target, keys[number]);
        return leg{[&target, key = keys[number]] { return row_text(target, key); },
                   written[number]};
    };
    const auto from = seen(item.from);
    const auto to = seen(item.to);
    if (const auto no = decide(from ? &*from : nullptr, to ? &*to : nullptr, item.amount,
                               item.expected_version))
        throw sql_error(no->sqlstate, no->message, no->detail);
    return {nullptr, from ? from->after->amount : std::nullopt,
            to ? to->after->amount : std::nullopt};
}

void require_as_reckoned(const ledger &target, std::span<const Datum> keys,
                         std::span<const batch_row> rows, const written_rows &written) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].movements == 0)
            continue;
        const auto changed = [&](const char *how, const std::string &detail, std::string hint) {
            return sql_error(state::triggered_action_exception,
                             "the update of " + row_text(target, keys[i]) + " was " + how, detail,
                             std::move(hint));
        };
        if (!written[i])
            throw changed("suppressed",
                          "A trigger or a row security policy of the table left the row as it was.",
                          {});
        const money &reckoned = *rows[i].state->amount;
        if (written[i]->amount != reckoned)
            throw changed("changed by a trigger",
                          "The amount is " + written[i]->amount->shown() +
                              " where the batch makes " + reckoned.shown() + ".",
                          "Where a trigger changes amounts, send the movements one by one.");
    }
}

} // namespace lockstep
