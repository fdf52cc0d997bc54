// The journal, defined once: its columns in the order in which they are made. Whatever makes a
// journal, checks it, writes a row, reads one or verifies them goes by this table.
#pragma once

#include "pg/boundary.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace lockstep {

enum class journal_column : std::uint8_t {
    request_id,
    entry,
    booked_at,
    from_key,
    to_key,
    amount,
    from_balance,
    to_balance,
    refusal,
    memo,
    at_most
};
constexpr std::size_t journal_column_count = 11;

// When a column has a value.
enum class filled : std::uint8_t {
    always,
    once_a_call, // always, and the same one in all rows of a call
    sometimes
};

// Whether a trigger of the journal's owner may give a column another value than lockstep writes.
enum class changeable : std::uint8_t { no, by_triggers };

struct journal_column_definition {
    journal_column column;
    const char *name;
    Oid type; // InvalidOid: the type of the ledger's keys
    filled when;
    changeable may_be_changed;
    int since;          // the journal's version that brought it
    const char *clause; // what else its definition says
    const char *comment;
};

// The version of the journals that register_ledger makes. Count it up with a new column.
constexpr int newest_journal_version = 2;

constexpr std::array<journal_column_definition, journal_column_count> journal_definition{{
    {journal_column::request_id, "request_id", UUIDOID, filled::always, changeable::no, 1,
     " PRIMARY KEY", "the caller's id of the request: done once, answered for ever"},
    {journal_column::entry, "entry", INT8OID, filled::always, changeable::no, 1,
     " GENERATED ALWAYS AS IDENTITY",
     "order of booking; for one row of the ledger, the order of its balances"},
    {journal_column::booked_at, "booked_at", TIMESTAMPTZOID, filled::once_a_call, changeable::no, 1,
     "", "clock time of the booking, taken while the rows were locked"},
    {journal_column::from_key, "from_key", InvalidOid, filled::sometimes, changeable::no, 1, "",
     "key of the row that gave; null for a deposit"},
    {journal_column::to_key, "to_key", InvalidOid, filled::sometimes, changeable::no, 1, "",
     "key of the row that took; null for a withdrawal"},
    {journal_column::amount, "amount", NUMERICOID, filled::always, changeable::no, 1, "",
     "amount that was moved, always above zero, in the unit of the ledger"},
    {journal_column::from_balance, "from_balance", NUMERICOID, filled::sometimes, changeable::no, 1,
     "", "amount of the giving row after the booking"},
    {journal_column::to_balance, "to_balance", NUMERICOID, filled::sometimes, changeable::no, 1, "",
     "amount of the taking row after the booking"},
    {journal_column::refusal, "refusal", TEXTOID, filled::sometimes, changeable::no, 1, "",
     "null, or the SQLSTATE of a refusal that was kept; then nothing was moved"},
    {journal_column::memo, "memo", JSONBOID, filled::sometimes, changeable::by_triggers, 1, "",
     "whatever the caller wanted to keep with the booking"},
    {journal_column::at_most, "at_most", NUMERICOID, filled::sometimes, changeable::no, 2, "",
     "null, or what was asked for with at_most: amount is what there was of it"},
}};

[[nodiscard]] constexpr std::size_t position_of(journal_column column) {
    return static_cast<std::size_t>(column);
}
[[nodiscard]] constexpr const journal_column_definition &definition_of(journal_column column) {
    return journal_definition[position_of(column)];
}
[[nodiscard]] constexpr const char *name_of(journal_column column) {
    return definition_of(column).name;
}

// The type of a column in the journal of a ledger with keys of this type.
[[nodiscard]] constexpr Oid type_of(const journal_column_definition &column, Oid key_type) {
    return column.type == InvalidOid ? key_type : column.type;
}

namespace detail {

// Columns stand where their number says; one that came later cannot be demanded of the rows that
// are there, and is of a version that there is.
consteval bool is_well_defined() {
    for (std::size_t i = 0; i < journal_column_count; ++i) {
        const journal_column_definition &one = journal_definition[i];
        if (position_of(one.column) != i || one.since > newest_journal_version ||
            (one.since > 1 && one.when != filled::sometimes))
            return false;
    }
    return true;
}
static_assert(is_well_defined());

} // namespace detail

// The values of one row, by column. Trivially copyable: it is read and written inside the guard.
struct journal_row {
    std::array<Datum, journal_column_count> values;
    std::array<bool, journal_column_count> nulls;

    [[nodiscard]] std::optional<Datum> get(journal_column column) const {
        if (nulls[position_of(column)])
            return std::nullopt;
        return values[position_of(column)];
    }
    void set(journal_column column, const std::optional<Datum> &value) {
        values[position_of(column)] = value ? *value : Datum{0};
        nulls[position_of(column)] = !value.has_value();
    }
};

// Where the columns are in one journal, and its unique index on request_id.
struct journal_layout {
    std::array<AttrNumber, journal_column_count> numbers; // 0: an older journal has none
    Oid unique_index;
    Oid entry_sequence;

    [[nodiscard]] AttrNumber number_of(journal_column column) const {
        return numbers[position_of(column)];
    }
    [[nodiscard]] bool has(journal_column column) const { return number_of(column) != 0; }
    [[nodiscard]] bool operator==(const journal_layout &) const = default;
};

} // namespace lockstep
