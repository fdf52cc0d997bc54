#include "store/spi_store.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "store/choice.hpp"
#include "store/execution.hpp"
#include "store/rows.hpp"
#include "store/spi_journal.hpp"

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

} // namespace

spi_store::spi_store(const ledger &in) : in_(in), by_key_(is_served_by_key(in)) {}

bool spi_store::lock(std::span<const Datum> keys, std::span<batch_row> rows) {
    require_arrays_of(in_);
    keys_.assign(keys.begin(), keys.end());
    for (batch_row &row : rows)
        row = {};
    if (by_key_)
        lock_by_key(rows);
    else if (!keys.empty())
        lock_at_once(rows);
    return true;
}

void spi_store::lock_by_key(std::span<batch_row> rows) const {
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].state = lock_row(in_, keys_[i]);
}

void spi_store::lock_at_once(std::span<batch_row> rows) const {
    spi_parameters values;
    values.add(array_of(in_.key.type, optional_of(keys_)));
    const uint64 found = execute(in_, in_.lock_many, values);
    for (uint64 i = 0; i < found; ++i) {
        const std::size_t position = position_of(i);
        if (rows[position].state)
            throw sql_error(state::cardinality_violation,
                            "key " + key_text(in_.key, keys_[position]) +
                                " names more than one row of ledger \"" + in_.name + "\"");
        rows[position].state = result_state(in_, keys_[position], i, first_value_column);
    }
}

void spi_store::write(std::span<const batch_row> rows) const {
    std::vector<std::size_t> moved;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].movements == 0)
            continue;
        moved.push_back(i);
        if (const auto version = rows[i].state->version) // a statement would say less
            static_cast<void>(version_datum(in_, keys_[i], *version));
    }
    if (by_key_)
        for (const std::size_t row : moved)
            check_written(row, rows[row], set_row(in_, keys_[row], *rows[row].state));
    else if (!moved.empty())
        write_at_once(rows, moved);
}

void spi_store::write_at_once(std::span<const batch_row> rows,
                              const std::vector<std::size_t> &moved) const {
    std::vector<std::optional<Datum>> keys;
    std::vector<std::optional<Datum>> amounts;
    std::vector<std::optional<Datum>> versions;
    for (const std::size_t row : moved) {
        keys.emplace_back(keys_[row]);
        amounts.emplace_back(amount_datum(in_, *rows[row].state->amount));
        const auto version = rows[row].state->version;
        versions.push_back(version ? std::optional{Int64GetDatum(*version)} : std::nullopt);
    }
    spi_parameters values;
    values.add(array_of(in_.key.type, keys));
    values.add(array_of(in_.column_of(row_column::amount).type, amounts));
    values.add(array_of(INT8OID, versions));
    const uint64 written = execute(in_, in_.write_many, values);
    std::vector<std::optional<row_state>> after(moved.size());
    for (uint64 i = 0; i < written; ++i) {
        const std::size_t position = position_of(i);
        after[position] = result_state(in_, keys_[moved[position]], i, first_value_column);
    }
    for (std::size_t i = 0; i < moved.size(); ++i)
        check_written(moved[i], rows[moved[i]], after[i]);
}

// What the write has returned is what the batch has made of the row.
void spi_store::check_written(std::size_t number, const batch_row &row,
                              const std::optional<row_state> &after) const {
    const std::string update =
        "the update of row " + key_text(in_.key, keys_[number]) + " of ledger \"" + in_.name + "\"";
    if (!after)
        suppressed(update,
                   "A trigger or a row security policy of the table left the row as it was.");
    if (after->amount != row.state->amount)
        throw sql_error(state::triggered_action_exception, update + " was changed by a trigger",
                        "The amount is " + after->amount->to_string() + " where the batch makes " +
                            row.state->amount->to_string() + ".",
                        "Where a trigger changes amounts, send the movements one by one.");
}

void spi_store::book(std::span<const new_booking> bookings, TimestampTz booked_at,
                     std::span<const batch_row> rows, const rival_questions &rivals) {
    if (bookings.empty())
        return;
    write(rows);
    for (const std::size_t lost : write_to_journal(in_, bookings, booked_at)) {
        if (!rivals.is_answered(lost))
            suppressed(std::string{"the booking of a movement of ledger \""} + in_.name + "\"",
                       "A trigger of the journal left it out.");
        // The rows are written already: what they were to move must not have been moved by others.
        if (bookings[lost].refusal == nullptr)
            rivals.refuse(lost);
    }
}

} // namespace lockstep
