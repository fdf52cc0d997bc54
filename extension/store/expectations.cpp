#include "store/expectations.hpp"

#ifdef USE_ASSERT_CHECKING

#include "pg/values.hpp"

#include <algorithm>

namespace lockstep {

bool are_in_order(const ledger &target, std::span<const Datum> keys) {
    const auto comes_late = [&](Datum a, Datum b) { return compare_keys(target.key, a, b) >= 0; };
    return std::ranges::adjacent_find(keys, comes_late) == keys.end();
}

bool are_in_order(std::span<const journal_row> rows) {
    const auto id_of = [](const journal_row &row) {
        return uuid_from_datum(row.get(journal_column::request_id).value());
    };
    const auto comes_late = [&](const journal_row &a, const journal_row &b) {
        return id_of(a) >= id_of(b);
    };
    return std::ranges::adjacent_find(rows, comes_late) == rows.end();
}

bool are_all_found(std::span<const batch_row> rows) {
    return std::ranges::all_of(
        rows, [](const batch_row &row) { return row.movements == 0 || row.state.has_value(); });
}

} // namespace lockstep

#endif
