#include "store/spi_journal.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "pg/role.hpp"
#include "pg/values.hpp"
#include "store/execution.hpp"
#include "store/journal_guard.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace lockstep {

namespace {

// What the statements return of a row, in this order (store/statements.cpp): the whole of it but
// for what may be anything.
constexpr int id_column = 1;
constexpr std::size_t returned_columns = 9;
using returned_values = std::array<std::optional<Datum>, returned_columns>;

std::array<Oid, returned_columns> returned_types(const ledger &in) {
    return {UUIDOID,    TIMESTAMPTZOID, in.key.type, in.key.type, NUMERICOID,
            NUMERICOID, NUMERICOID,     TEXTOID,     INT8OID};
}

std::optional<Datum> text_or_null(const char *text) {
    if (text == nullptr)
        return std::nullopt;
    return text_datum(text);
}

returned_values values_of(const new_booking &booking, TimestampTz booked_at) {
    return {PointerGetDatum(booking.id->data()),
            TimestampTzGetDatum(booked_at),
            booking.from,
            booking.to,
            booking.amount,
            booking.from_balance,
            booking.to_balance,
            text_or_null(booking.refusal),
            Int64GetDatum(booking.entry)};
}

// Whether the row of the result is the booking, byte for byte but for the decimals of numbers.
bool is_as_written(const ledger &in, uint64 row, const returned_values &booking) {
    const auto types = returned_types(in);
    for (std::size_t i = 0; i < returned_columns; ++i) {
        const auto found = cell(row, static_cast<int>(i) + 1);
        const auto &wanted = booking[i];
        if (found.has_value() != wanted.has_value())
            return false;
        if (!found)
            continue;
        const Oid type = types[i];
        const Datum left = *found;
        const Datum right = *wanted;
        // By value, where a column of the journal's has a precision: 5 is 5.00 there.
        if (!pg_call([=] {
                if (type == NUMERICOID)
                    return DatumGetBool(DirectFunctionCall2(numeric_eq, left, right));
                int16 length = 0;
                bool by_value = false;
                get_typlenbyval(type, &length, &by_value);
                return datum_image_eq(left, right, by_value, length);
            }))
            return false;
    }
    return true;
}

[[noreturn]] void changed_by_trigger(const ledger &in) {
    throw sql_error(state::triggered_action_exception,
                    std::string{"the booking of a movement of ledger \""} + in.name +
                        "\" was changed by a trigger",
                    "A trigger of the journal may add to a booking, and not change it.");
}

// Goes through the rows that the statement returned, which come in the order of the bookings: the
// positions of those that are missing.
std::vector<std::size_t> not_returned(const ledger &in, std::span<const new_booking> bookings,
                                      TimestampTz booked_at, uint64 returned) {
    require_result_types(in, id_column, returned_types(in));
    std::vector<std::size_t> missing;
    std::size_t next = 0;
    for (uint64 row = 0; row < returned; ++row) {
        check_interrupts();
        const auto id = cell(row, id_column);
        while (next < bookings.size() && !(id && uuid_from_datum(*id) == *bookings[next].id))
            missing.push_back(next++);
        if (next == bookings.size() ||
            !is_as_written(in, row, values_of(bookings[next], booked_at)))
            changed_by_trigger(in);
        ++next;
    }
    while (next < bookings.size())
        missing.push_back(next++);
    return missing;
}

template <class Field>
Datum column_array(Oid type, std::span<const new_booking> bookings, Field field) {
    std::vector<std::optional<Datum>> values;
    values.reserve(bookings.size());
    for (const new_booking &one : bookings)
        values.push_back(field(one));
    return array_of(type, values);
}

std::vector<std::size_t> run(const ledger &in, const kept_statement &statement,
                             const spi_parameters &values, std::span<const new_booking> bookings,
                             TimestampTz booked_at) {
    std::vector<const uuid_bytes *> ids;
    ids.reserve(bookings.size());
    for (const new_booking &one : bookings)
        ids.push_back(one.id);
    as_role owner{in.journal_owner};
    const journal_writing writing{in.journal, in.booked.request_id, ids};
    const uint64 written = execute(in, statement, values);
    auto missing = not_returned(in, bookings, booked_at, written);
    owner.leave();
    return missing;
}

std::vector<std::size_t> write_many(const ledger &in, std::span<const new_booking> bookings,
                                    TimestampTz booked_at) {
    using one = const new_booking &;
    spi_parameters values;
    values.add(column_array(
        UUIDOID, bookings, [](one row) { return std::optional{PointerGetDatum(row.id->data())}; }));
    values.add(TimestampTzGetDatum(booked_at));
    values.add(column_array(in.key.type, bookings, [](one row) { return row.from; }));
    values.add(column_array(in.key.type, bookings, [](one row) { return row.to; }));
    values.add(
        column_array(NUMERICOID, bookings, [](one row) { return std::optional{row.amount}; }));
    values.add(column_array(NUMERICOID, bookings, [](one row) { return row.from_balance; }));
    values.add(column_array(NUMERICOID, bookings, [](one row) { return row.to_balance; }));
    values.add(column_array(TEXTOID, bookings, [](one row) { return text_or_null(row.refusal); }));
    values.add(column_array(INT8OID, bookings,
                            [](one row) { return std::optional{Int64GetDatum(row.entry)}; }));
    values.add(column_array(JSONBOID, bookings, [](one row) { return row.memo; }));
    return run(in, in.book_many, values, bookings, booked_at);
}

bool write_one(const ledger &in, const new_booking &booking, TimestampTz booked_at) {
    spi_parameters values;
    for (const auto &value : values_of(booking, booked_at))
        values.add(value);
    values.add(booking.memo);
    return run(in, in.book, values, {&booking, 1}, booked_at).empty();
}

} // namespace

std::vector<std::size_t> write_to_journal(const ledger &in, std::span<const new_booking> bookings,
                                          TimestampTz booked_at) {
    if (bookings.size() > 1 && in.book_many.sql != nullptr)
        return write_many(in, bookings, booked_at);
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < bookings.size(); ++i)
        if (!write_one(in, bookings[i], booked_at))
            missing.push_back(i);
    return missing;
}

} // namespace lockstep
