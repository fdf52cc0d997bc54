#include "store/spi_store.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "pg/role.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "store/journal_guard.hpp"
#include "store/rows.hpp"
#include "store/statements.hpp"

#include <set>
#include <string>

namespace lockstep {

namespace {

// Where the statements that return rows keep the row's number, and its values after that.
constexpr int number_column = 1;
constexpr int first_value_column = 2;

std::vector<std::optional<Datum>> optional_of(std::span<const Datum> values) {
    return {values.begin(), values.end()};
}

// The position, from 0, of the key that a row of the result answers.
std::size_t position_of(uint64 row) {
    return static_cast<std::size_t>(DatumGetInt64(cell(row, number_column).value()) - 1);
}

void require_arrays_of(const ledger &in) {
    if (in.lock_many.sql == nullptr)
        throw sql_error(state::feature_not_supported,
                        std::string{"keys of ledger \""} + in.name +
                            "\" cannot be sent as an array",
                        "They are arrays or rows themselves.", "Send the movements one by one.");
}

[[noreturn]] void suppressed(const std::string &what, const char *why) {
    throw sql_error(state::triggered_action_exception, what + " was suppressed", why);
}

template <class Field>
Datum column_array(Oid type, std::span<const new_booking> bookings, Field field) {
    std::vector<std::optional<Datum>> values;
    values.reserve(bookings.size());
    for (const new_booking &one : bookings)
        values.push_back(field(one));
    return array_of(type, values);
}

// The positions of the bookings whose ids the statement did not return.
std::vector<std::size_t> not_returned(std::span<const new_booking> bookings, uint64 returned) {
    std::vector<std::size_t> missing;
    if (returned == bookings.size())
        return missing;
    std::set<uuid_bytes> written;
    for (uint64 i = 0; i < returned; ++i)
        written.insert(uuid_from_datum(cell(i, 1).value()));
    for (std::size_t i = 0; i < bookings.size(); ++i)
        if (!written.contains(*bookings[i].id))
            missing.push_back(i);
    return missing;
}

// The positions of those that the journal did not take.
std::vector<std::size_t> write_journal(const ledger &in, std::span<const new_booking> bookings,
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
    values.add(column_array(TEXTOID, bookings, [](one row) -> std::optional<Datum> {
        if (row.refusal == nullptr)
            return std::nullopt;
        return text_datum(row.refusal);
    }));
    values.add(column_array(INT8OID, bookings,
                            [](one row) { return std::optional{Int64GetDatum(row.entry)}; }));
    values.add(column_array(JSONBOID, bookings, [](one row) { return row.memo; }));
    as_role owner{in.journal_owner};
    const journal_writing writing{in.journal};
    const uint64 written = execute(in.book_many, values);
    auto lost = not_returned(bookings, written);
    owner.leave();
    return lost;
}

} // namespace

bool spi_store::lock(std::span<const Datum> keys, std::span<batch_row> rows) {
    require_arrays_of(in_);
    keys_.assign(keys.begin(), keys.end());
    for (batch_row &row : rows)
        row = {};
    if (keys.empty())
        return true;
    spi_parameters values;
    values.add(array_of(in_.key.type, optional_of(keys)));
    const uint64 found = execute(in_.lock_many, values);
    for (uint64 i = 0; i < found; ++i) {
        const std::size_t position = position_of(i);
        if (rows[position].state)
            throw sql_error(state::cardinality_violation,
                            "key " + key_text(in_.key, keys[position]) +
                                " names more than one row of ledger \"" + in_.name + "\"");
        rows[position].state = result_state(in_, keys[position], i, first_value_column);
    }
    return true;
}

void spi_store::write(std::span<const batch_row> rows) {
    std::vector<std::size_t> moved;
    std::vector<std::optional<Datum>> keys;
    std::vector<std::optional<Datum>> amounts;
    std::vector<std::optional<Datum>> versions;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].movements == 0)
            continue;
        moved.push_back(i);
        keys.emplace_back(keys_[i]);
        amounts.emplace_back(amount_datum(in_, *rows[i].state->amount));
        const auto version = rows[i].state->version;
        if (version) // the statement would say less when it does not fit
            static_cast<void>(version_datum(in_, keys_[i], *version));
        versions.push_back(version ? std::optional{Int64GetDatum(*version)} : std::nullopt);
    }
    if (moved.empty())
        return;
    spi_parameters values;
    values.add(array_of(in_.key.type, keys));
    values.add(array_of(in_.column_of(row_column::amount).type, amounts));
    values.add(array_of(INT8OID, versions));
    const uint64 written = execute(in_.write_many, values);
    const auto of_row = [this](std::size_t row) {
        return "the update of row " + key_text(in_.key, keys_[row]) + " of ledger \"" + in_.name +
               "\"";
    };
    std::vector<bool> answered(moved.size());
    for (uint64 i = 0; i < written; ++i) {
        const std::size_t position = position_of(i);
        const std::size_t row = moved[position];
        answered[position] = true;
        const row_state after = result_state(in_, keys_[row], i, first_value_column);
        if (after.amount != rows[row].state->amount)
            throw sql_error(
                state::triggered_action_exception, of_row(row) + " was changed by a trigger",
                "The amount is " + after.amount->to_string() + " where the batch makes " +
                    rows[row].state->amount->to_string() + ".",
                "Where a trigger changes amounts, send the movements one by one.");
    }
    for (std::size_t i = 0; i < answered.size(); ++i)
        if (!answered[i])
            suppressed(of_row(moved[i]),
                       "A trigger or a row security policy of the table left the row as it was.");
}

void spi_store::book(std::span<const new_booking> bookings, TimestampTz booked_at,
                     std::span<const batch_row> rows, const rival_questions &rivals) {
    if (bookings.empty())
        return;
    write(rows);
    for (const std::size_t lost : write_journal(in_, bookings, booked_at)) {
        if (!rivals.is_answered(lost))
            suppressed(std::string{"the booking of a movement of ledger \""} + in_.name + "\"",
                       "A trigger of the journal left it out.");
        // The rows are written already: what they were to move must not have been moved by others.
        if (bookings[lost].refusal == nullptr)
            rivals.refuse(lost);
    }
}

} // namespace lockstep
