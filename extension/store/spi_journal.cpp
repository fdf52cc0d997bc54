#include "store/spi_journal.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "pg/role.hpp"
#include "pg/values.hpp"
#include "store/execution.hpp"
#include "store/journal_guard.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace lockstep {

namespace {

// The columns of this journal that no trigger may change: the statements return them, in this order
// (ledger/statements.cpp).
call_vector<journal_column_definition> returned_columns(const ledger &target) {
    call_vector<journal_column_definition> columns;
    for (const journal_column_definition &one : journal_definition)
        if (target.layout.has(one.column) && one.may_be_changed == changeable::no)
            columns.push_back(one);
    return columns;
}

constexpr int id_column = 1;
static_assert(position_of(journal_column::request_id) == id_column - 1);

uuid_bytes id_of(const journal_row &row) {
    return uuid_from_datum(row.values[position_of(journal_column::request_id)]);
}

// Whether a value is the one that was written, byte for byte but for the decimals of numbers.
bool is_same_value(Oid type, Datum left, Datum right) {
    return pg_call([=] {
        // By value, where a column of the journal's has a precision: 5 is 5.00 there.
        if (type == NUMERICOID)
            return DatumGetBool(DirectFunctionCall2(numeric_eq, left, right));
        int16 length = 0;
        bool by_value = false;
        get_typlenbyval(type, &length, &by_value);
        return datum_image_eq(left, right, by_value, length);
    });
}

// Whether the row of the result is the one that was to be written.
bool is_as_written(const ledger &target, std::span<const journal_column_definition> columns,
                   uint64 result_row, const journal_row &row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto found = cell(result_row, static_cast<int>(i) + 1);
        const auto wanted = row.get(columns[i].column);
        if (found.has_value() != wanted.has_value() ||
            (found && !is_same_value(type_of(columns[i], target.key.type), *found, *wanted)))
            return false;
    }
    return true;
}

[[noreturn]] void changed_by_trigger(const ledger &target) {
    throw sql_error(state::triggered_action_exception,
                    "the booking of a movement of " + table_text(target) +
                        " was changed by a trigger",
                    "A trigger of the journal may add to a booking, and not change it.");
}

// Goes through the rows that the statement returned, which come in the order in which they were
// written: the positions of those that are missing.
call_vector<std::size_t> not_returned(const ledger &target, std::span<const journal_row> rows,
                                      uint64 returned) {
    const auto columns = returned_columns(target);
    call_vector<Oid> types;
    for (const journal_column_definition &one : columns)
        types.push_back(type_of(one, target.key.type));
    require_result_types(target, id_column, types);
    call_vector<std::size_t> missing;
    std::size_t next = 0;
    for (uint64 result_row = 0; result_row < returned; ++result_row) {
        check_interrupts();
        const auto id = cell(result_row, id_column);
        while (next < rows.size() && !(id && uuid_from_datum(*id) == id_of(rows[next])))
            missing.push_back(next++);
        if (next == rows.size() || !is_as_written(target, columns, result_row, rows[next]))
            changed_by_trigger(target);
        ++next;
    }
    while (next < rows.size())
        missing.push_back(next++);
    return missing;
}

call_vector<std::size_t> run(const ledger &target, const kept_statement &statement,
                             const spi_parameters &values, std::span<const journal_row> rows) {
    call_vector<uuid_bytes> ids;
    ids.reserve(rows.size());
    for (const journal_row &one : rows)
        ids.push_back(id_of(one));
    as_role owner{target.journal_owner};
    const journal_writing writing{target.journal,
                                  target.layout.number_of(journal_column::request_id), ids};
    const uint64 written = execute(target, statement, values);
    auto missing = not_returned(target, rows, written);
    owner.leave();
    return missing;
}

Datum column_array(const ledger &target, const journal_column_definition &column,
                   std::span<const journal_row> rows) {
    call_vector<std::optional<Datum>> values;
    values.reserve(rows.size());
    for (const journal_row &one : rows)
        values.push_back(one.get(column.column));
    return array_of(type_of(column, target.key.type), values);
}

call_vector<std::size_t> write_many(const ledger &target, std::span<const journal_row> rows) {
    spi_parameters values;
    for (const journal_column_definition &one : journal_definition) {
        if (!target.layout.has(one.column))
            continue;
        if (one.when == filled::once_a_call)
            values.add(rows.front().get(one.column));
        else
            values.add(column_array(target, one, rows));
    }
    return run(target, target.append_many, values, rows);
}

bool write_one(const ledger &target, const journal_row &row) {
    spi_parameters values;
    for (const journal_column_definition &one : journal_definition)
        if (target.layout.has(one.column))
            values.add(row.get(one.column));
    return run(target, target.append, values, {&row, 1}).empty();
}

} // namespace

call_vector<std::size_t> write_to_journal(const ledger &target, std::span<const journal_row> rows) {
    if (rows.size() > 1 && target.append_many.sql != nullptr)
        return write_many(target, rows);
    call_vector<std::size_t> missing;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (!write_one(target, rows[i]))
            missing.push_back(i);
    return missing;
}

} // namespace lockstep
