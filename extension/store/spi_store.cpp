#include "store/spi_store.hpp"

#include "core/sql_error.hpp"
#include "ledger/choice.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/arrays.hpp"
#include "pg/role.hpp"
#include "pg/short_waits.hpp"
#include "store/execution.hpp"
#include "store/expectations.hpp"
#include "store/heap_journal.hpp"
#include "store/rows.hpp"
#include "store/spi_journal.hpp"

#include <string>

namespace lockstep {

namespace {

// Where the statements that return rows keep the row's number, and its values after that.
constexpr int number_column = 1;
constexpr int first_value_column = 2;

call_vector<std::optional<Datum>> optional_of(std::span<const Datum> values) {
    return {values.begin(), values.end()};
}

// The position, from 0, of the key that a row of the result answers; one of `count`. A rule may
// have made another statement of ours.
std::size_t position_of(uint64 row, std::size_t count) {
    const std::int64_t number = DatumGetInt64(cell(row, number_column).value_or(Datum{0}));
    if (number < 1 || static_cast<std::uint64_t>(number) > count)
        throw sql_error(state::internal_error, "the statement of a ledger returned row number " +
                                                   std::to_string(number) + " of " +
                                                   std::to_string(count));
    return static_cast<std::size_t>(number - 1);
}

} // namespace

lock_result spi_store::lock(std::span<const Datum> keys, std::span<batch_row> rows,
                            std::size_t tries) {
    Assert(rows.size() == keys.size());
    Assert(are_in_order(target_, keys));
    constexpr std::size_t few = 2;
    // Some types have no arrays: arrays themselves, and rows, which would be taken apart.
    by_key_ = keys.size() <= few || is_served_by_key(target_) || target_.lock_many.sql == nullptr;
    keys_.assign(keys.begin(), keys.end());
    puts_directly_ = may_put_into_journal(target_);
    for (batch_row &row : rows)
        row = {};
    return by_key_ ? lock_by_key(rows, tries) : lock_at_once(rows, tries);
}

lock_result spi_store::lock_by_key(std::span<batch_row> rows, std::size_t tries) {
    before_.assign(rows.size(), std::nullopt);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool tried = i < tries;
        rows[i].state = for_row(
            i, [&] { return tried ? try_row(target_, keys_[i]) : lock_row(target_, keys_[i]); });
        if (rows[i].state)
            before_[i] = rows[i].state->amount;
        else if (tried && is_there(target_, keys_[i]))
            return {.busy = i};
    }
    return {};
}

lock_result spi_store::lock_at_once(std::span<batch_row> rows, std::size_t tries) const {
    if (tries > 0)
        lock_some(target_.try_many, rows, 0, tries);
    for (std::size_t i = 0; i < tries; ++i)
        if (!rows[i].state && is_there(target_, keys_[i]))
            return {.busy = i};
    if (tries < rows.size())
        lock_some(target_.lock_many, rows, tries, rows.size() - tries);
    return {};
}

void spi_store::lock_some(const kept_statement &statement, std::span<batch_row> rows,
                          std::size_t first, std::size_t count) const {
    spi_parameters values;
    values.add(array_of(target_.key.type, optional_of(std::span{keys_}.subspan(first, count))));
    const auto run = [&] { return execute(target_, statement, values); };
    const uint64 found = &statement == &target_.try_many ? without_waiting(run) : run();
    for (uint64 i = 0; i < found; ++i) {
        const std::size_t position = first + position_of(i, count);
        if (rows[position].state)
            throw sql_error(state::cardinality_violation,
                            "key \"" + key_text(target_.key, keys_[position]) +
                                "\" names more than one row of " + table_text(target_));
        rows[position].state = for_row(position, [&] {
            return result_state(target_, keys_[position], i, first_value_column);
        });
    }
}

call_vector<std::optional<row_state>> spi_store::write(std::span<const batch_row> rows) {
    Assert(rows.size() == keys_.size());
    Assert(are_all_found(rows));
    call_vector<std::size_t> moved;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].movements == 0)
            continue;
        moved.push_back(i);
        if (const auto version = rows[i].state->version) // a statement would say less
            static_cast<void>(version_datum(target_, keys_[i], *version));
    }
    call_vector<std::optional<row_state>> written(rows.size());
    if (by_key_)
        for (const std::size_t row : moved)
            written[row] = set_row(target_, keys_[row], *before_[row], *rows[row].state);
    else if (!moved.empty())
        write_at_once(rows, moved, written);
    return written;
}

void spi_store::write_at_once(std::span<const batch_row> rows,
                              const call_vector<std::size_t> &moved,
                              call_vector<std::optional<row_state>> &written) const {
    call_vector<std::optional<Datum>> keys;
    call_vector<std::optional<Datum>> amounts;
    call_vector<std::optional<Datum>> versions;
    for (const std::size_t row : moved) {
        keys.emplace_back(keys_[row]);
        amounts.emplace_back(amount_datum(target_, *rows[row].state->amount));
        const auto version = rows[row].state->version;
        versions.push_back(version ? std::optional{Int64GetDatum(*version)} : std::nullopt);
    }
    spi_parameters values;
    values.add(array_of(target_.key.type, keys));
    values.add(array_of(target_.column_of(row_column::amount).type, amounts));
    values.add(array_of(INT8OID, versions));
    const uint64 found = execute(target_, target_.write_many, values);
    for (uint64 i = 0; i < found; ++i) {
        const std::size_t row = moved[position_of(i, moved.size())];
        written[row] = result_state(target_, keys_[row], i, first_value_column);
    }
}

bool spi_store::append_if_new(const journal_row &row) {
    return append({&row, 1}).empty();
}

call_vector<std::size_t> spi_store::append(std::span<const journal_row> rows) {
    Assert(are_in_order(rows));
    if (!puts_directly_)
        return write_to_journal(target_, rows);
    // Code of the user's may have run when the rows were written.
    ledger_cache::require_unchanged(target_);
    as_role owner{target_.journal_owner}; // what hides in a key's type may run in an index
    const std::size_t written = put_some_into_journal(target_, rows);
    owner.leave();
    pg_call([] { CommandCounterIncrement(); }); // as after a statement
    if (written == rows.size())
        return {};
    return {written};
}

conflict_effect spi_store::at_conflict() const {
    return puts_directly_ ? conflict_effect::stop : conflict_effect::pass_over;
}

} // namespace lockstep
