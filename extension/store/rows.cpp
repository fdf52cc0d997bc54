#include "store/rows.hpp"

#include "core/sql_error.hpp"
#include "ledger/rights.hpp"
#include "pg/numerics.hpp"
#include "pg/short_waits.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "store/execution.hpp"
#include "store/matching.hpp"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

namespace {

template <class Whole>
bool holds(std::int64_t value) {
    return value >= std::numeric_limits<Whole>::min() && value <= std::numeric_limits<Whole>::max();
}

std::int64_t integer_of(Datum value, Oid type) {
    switch (type) {
    case INT2OID: return DatumGetInt16(value);
    case INT4OID: return DatumGetInt32(value);
    default: return DatumGetInt64(value);
    }
}

// A value of the row: what is wrong with it is the row's fault, and not the request's.
money amount_of(const ledger &target, Datum key, Datum value, Oid type, const char *what) {
    if (type != NUMERICOID)
        return money{integer_of(value, type)};
    if (const auto amount = read_numeric(value))
        return *amount;
    throw unreadable(std::string{what} + " of " + row_text(target, key), value);
}

// A bound that all rows have.
std::optional<money> common_bound(const char *digits) {
    return digits != nullptr ? money::parse(digits) : std::nullopt;
}

// Whether a bound by row is none: infinity on its own side.
bool is_no_bound(Datum value, Oid type, const char *no_bound) {
    if (type != NUMERICOID)
        return false;
    const char *text =
        pg_call([value] { return DatumGetCString(DirectFunctionCall1(numeric_out, value)); });
    return std::string_view{text} == no_bound;
}

// One row, or none; more would mean that the key's unique index has gone.
bool found_one(const ledger &target, Datum key, uint64 rows) {
    if (rows > 1)
        throw sql_error(state::cardinality_violation, "key \"" + key_text(target.key, key) +
                                                          "\" names more than one row of " +
                                                          table_text(target));
    return rows == 1;
}

// What the last statement has found of a row. Nothing of the result is needed any longer: a batch
// by single keys would keep some thousand bytes for each of them.
std::optional<row_state> result_of_one(const ledger &target, Datum key, uint64 rows) {
    std::optional<row_state> found;
    if (found_one(target, key, rows))
        found = result_state(target, key, 0, 1);
    pg_call([] { SPI_freetuptable(SPI_tuptable); });
    return found;
}

} // namespace

bool is_there(const ledger &target, Datum key) {
    spi_parameters values;
    values.add(key);
    return execute(target, target.look, values) > 0;
}

Datum amount_datum(const ledger &target, const money &amount) {
    if (target.amount.stored == amount_type::kind::numeric) {
        const std::optional<money> wanted{amount};
        Datum made{0};
        make_numerics({&wanted, 1}, {&made, 1});
        return made;
    }
    const auto units = amount.as_int64();
    switch (target.amount.stored) {
    case amount_type::kind::int16: return Int16GetDatum(static_cast<int16>(*units));
    case amount_type::kind::int32: return Int32GetDatum(static_cast<int32>(*units));
    default: return Int64GetDatum(*units);
    }
}

Datum version_datum(const ledger &target, Datum key, std::int64_t version) {
    const Oid type = target.column_of(row_column::version).type;
    const bool fits = type == INT2OID   ? holds<std::int16_t>(version)
                      : type == INT4OID ? holds<std::int32_t>(version)
                                        : true;
    if (!fits)
        throw sql_error(state::numeric_value_out_of_range,
                        "version of " + row_text(target, key) + " is out of range");
    switch (type) {
    case INT2OID: return Int16GetDatum(static_cast<int16>(version));
    case INT4OID: return Int32GetDatum(static_cast<int32>(version));
    default: return Int64GetDatum(version);
    }
}

row_state state_of(const ledger &target, Datum key, const raw_row &raw) {
    const auto value = [&raw](row_column which) -> std::optional<Datum> {
        if (raw.nulls[static_cast<int>(which)])
            return std::nullopt;
        return raw.values[static_cast<int>(which)];
    };
    const auto type = [&target](row_column which) { return target.column_of(which).type; };
    const auto amount = value(row_column::amount);
    if (!amount)
        throw sql_error(state::null_value_not_allowed,
                        "amount of " + row_text(target, key) + " is null");
    row_state row{};
    row.amount = amount_of(target, key, *amount, type(row_column::amount), "balance");
    const auto bound = [&](row_column which, const char *what,
                           const char *no_bound) -> std::optional<money> {
        const auto found = value(which);
        if (!found || is_no_bound(*found, type(which), no_bound))
            return std::nullopt;
        return amount_of(target, key, *found, type(which), what);
    };
    row.floor = target.has(row_column::floor) ? bound(row_column::floor, "floor", "-Infinity")
                                              : common_bound(target.floor);
    row.ceiling = target.has(row_column::ceiling)
                      ? bound(row_column::ceiling, "ceiling", "Infinity")
                      : common_bound(target.ceiling);
    if (const auto version = value(row_column::version))
        row.version = integer_of(*version, type(row_column::version));
    if (const auto frozen = value(row_column::frozen))
        row.frozen = DatumGetBool(*frozen);
    row.matched = comparable(raw.matched);
    return row;
}

row_state result_state(const ledger &target, Datum key, uint64 row, int first_column) {
    if (row == 0) {
        std::vector<Oid> types;
        for (const kept_column &one : target.columns)
            types.push_back(one.type);
        for (const match_column &one : target.match_columns())
            types.push_back(one.type);
        require_result_types(target, first_column, types);
    }
    raw_row raw{};
    const ledger *where = &target;
    pg_call([&raw, row, first_column, where] {
        for (int i = 0; i < row_columns; ++i) {
            raw.nulls[i] = true;
            if (where->columns[i].number != 0)
                raw.values[i] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
                                              first_column + i, &raw.nulls[i]);
        }
        if (where->match_count > 0)
            raw.matched = matched_in_result(*where, row, first_column + row_columns);
    });
    return state_of(target, key, raw);
}

std::optional<row_state> lock_row(const ledger &target, Datum key) {
    spi_parameters values;
    values.add(key);
    return result_of_one(target, key, execute(target, target.lock, values));
}

std::optional<row_state> try_row(const ledger &target, Datum key) {
    spi_parameters values;
    values.add(key);
    const uint64 rows = without_waiting([&] { return execute(target, target.try_lock, values); });
    return result_of_one(target, key, rows);
}

bool may_see_row(const ledger &target, Datum key) {
    return may_see_every_row(target) || is_there(target, key);
}

void explain_unwritten(const ledger &target, Datum key) {
    if (may_see_every_row(target) && is_there(target, key))
        throw sql_error(state::triggered_action_exception,
                        "the update of " + row_text(target, key) + " was suppressed",
                        "A trigger of the table left the row as it was.");
}

std::optional<row_state> set_row(const ledger &target, Datum key, const money &before,
                                 const row_state &row) {
    spi_parameters values;
    values.add(key);
    values.add(amount_datum(target, *row.amount));
    values.add(row.version ? std::optional{Int64GetDatum(*row.version)} : std::nullopt);
    values.add(amount_datum(target, before));
    auto written = result_of_one(target, key, execute(target, target.set, values));
    if (written)
        return written;
    const auto now = lock_row(target, key);
    if (now && *now->amount != before)
        throw sql_error(
            state::triggered_data_change_violation,
            row_text(target, key) + " was changed while its movement was in progress",
            "A trigger, a policy or a check has changed it, as another row was written.");
    return std::nullopt;
}

} // namespace lockstep
