#include "locking/claims.hpp"

#include "core/sql_error.hpp"
#include "locking/named_values.hpp"
#include "locking/order_guard.hpp"
#include "pg/kept_plans.hpp"
#include "pg/row_key.hpp"
#include "pg/short_waits.hpp"
#include "pg/slots.hpp"
#include "pg/spi.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

namespace lockstep {

namespace {

constexpr std::size_t most_matching = 32;

// "= $n" for each value, IS NULL for a null.
struct condition {
    std::string text;
    std::vector<Oid> types;
    spi_parameters values;
};

condition condition_of(const table_use &use, std::optional<Datum> matching) {
    condition made;
    if (!matching)
        return made;
    const std::vector<column> columns = columns_named_in(*matching, use.relation(), "matching");
    if (columns.size() > most_matching)
        throw sql_error(state::program_limit_exceeded,
                        "matching names more than " + std::to_string(most_matching) + " columns");
    const auto values = values_in(*matching, columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const column &one = columns[i];
        made.text += made.text.empty() ? " WHERE l." : " AND l.";
        made.text += quoted(one.name);
        if (!values[i]) {
            made.text += " IS NULL";
            continue;
        }
        made.types.push_back(one.type);
        made.values.add(*values[i]);
        // A domain is compared as what it stands on.
        if (one.declared_type != one.type)
            made.text += "::" + type_name(one.type);
        made.text += " " + equality_of(one) + " $" + std::to_string(made.types.size());
    }
    return made;
}

std::string statement_of(const table_use &use, const condition &where,
                         const std::optional<column> &order_by, std::int32_t max_rows) {
    // The plan is made for as many rows, or almost: few plans serve all claims.
    const std::uint32_t limit =
        max_rows == 0 ? 0 : std::bit_ceil(static_cast<std::uint32_t>(max_rows));
    std::string keys;
    for (const column &one : use.key_columns())
        keys += (keys.empty() ? "l." : ", l.") + quoted(one.name);
    return "SELECT " + keys + " FROM " + qualified_name(use.relation()) + " AS l" + where.text +
           " ORDER BY " + (order_by ? "l." + quoted(order_by->name) + ", " : "") + keys +
           " LIMIT " + std::to_string(limit) + " FOR NO KEY UPDATE OF l SKIP LOCKED";
}

// The key of a row of the last result, copied out of it.
Datum key_in_result(const keyed_table &target, uint64 row, MemoryContext to) {
    std::array<Datum, INDEX_MAX_KEYS> values{};
    for (int i = 0; i < target.key_count; ++i) {
        const auto value = cell(row, i + 1);
        if (!value)
            throw sql_error(state::null_value_not_allowed,
                            "a row of " + table_text(target) + " has no key");
        values[static_cast<std::size_t>(i)] = *value;
    }
    const keyed_table *const table = &target;
    const Datum *first = values.data();
    return pg_call([=] {
        const MemoryContext before = MemoryContextSwitchTo(to);
        const Datum key = table->key.row != nullptr
                              ? form_key(*table->key.row, first)
                              : copied_value(*first, table->key.by_value, table->key.length);
        MemoryContextSwitchTo(before);
        return key;
    });
}

} // namespace

call_vector<Datum> claim_rows(const table_use &use, std::int32_t max_rows,
                              std::optional<Datum> matching,
                              const std::optional<column> &order_by) {
    const MemoryContext memory = CurrentMemoryContext;
    const condition where = condition_of(use, matching);
    const std::string sql = statement_of(use, where, order_by, max_rows);
    const keyed_table &target = use.table();
    // Claims that come to a row in the instant in which its holder commits lock its new version,
    // one after the other, and then leave it. Where nothing is held yet that is waited for.
    const uint64 rows = without_waiting(
        [&] { return execute_for_values(sql, where.types, where.values, target.table, max_rows); },
        patience_of_tries());
    call_vector<Datum> keys;
    keys.reserve(rows);
    for (uint64 row = 0; row < rows; ++row)
        keys.push_back(key_in_result(target, row, memory));
    if (!keys.empty())
        hold_row(target, *std::ranges::max_element(keys, [&](Datum a, Datum b) {
                     return compare_keys(target.key, a, b) < 0;
                 }));
    return keys;
}

} // namespace lockstep
