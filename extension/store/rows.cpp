#include "store/rows.hpp"

#include "core/sql_error.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "store/statements.hpp"

#include <string_view>

namespace lockstep {

namespace {

std::int64_t integer_of(Datum value, Oid type) {
    switch (type) {
    case INT2OID: return DatumGetInt16(value);
    case INT4OID: return DatumGetInt32(value);
    default: return DatumGetInt64(value);
    }
}

// A cell of the statement's result, which is of an integer type or numeric.
std::optional<Datum> cell_of(row_column which) {
    return cell(0, static_cast<int>(which));
}

Oid type_of(row_column which) {
    const int column = static_cast<int>(which);
    const Oid type = pg_call([column] { return SPI_gettypeid(SPI_tuptable->tupdesc, column); });
    return pg_call([type] { return getBaseType(type); });
}

std::optional<money> amount_of(row_column which, const char *what) {
    const auto value = cell_of(which);
    if (!value)
        return std::nullopt;
    const Oid type = type_of(which);
    return type == NUMERICOID ? money_from_numeric(*value, what) : money{integer_of(*value, type)};
}

// A bound by row: null is none, and so is infinity on its own side.
std::optional<money> bound_of(row_column which, const char *what, const char *no_bound) {
    const auto value = cell_of(which);
    if (value && type_of(which) == NUMERICOID) {
        const Datum bound = *value;
        const char *text =
            pg_call([bound] { return DatumGetCString(DirectFunctionCall1(numeric_out, bound)); });
        if (std::string_view{text} == no_bound)
            return std::nullopt;
    }
    return amount_of(which, what);
}

// Reads the one row that the last statement returned.
row_state read_state(const ledger &in, Datum key) {
    row_state row{};
    row.amount = amount_of(row_column::amount, "balance");
    if (!row.amount)
        throw sql_error(state::null_value_not_allowed, "amount of row " + key_text(in.key, key) +
                                                           " of ledger \"" + in.name +
                                                           "\" is null");
    row.floor = in.has_floor_column ? bound_of(row_column::floor, "floor", "-Infinity") : in.floor;
    row.ceiling =
        in.has_ceiling_column ? bound_of(row_column::ceiling, "ceiling", "Infinity") : in.ceiling;
    if (in.has_version_column)
        if (const auto version = cell_of(row_column::version))
            row.version = integer_of(*version, type_of(row_column::version));
    if (in.has_frozen_column)
        if (const auto frozen = cell_of(row_column::frozen))
            row.frozen = DatumGetBool(*frozen);
    return row;
}

// One row, or none; more would mean that the key's unique index has gone.
bool found_one(const ledger &in, Datum key, uint64 rows) {
    if (rows > 1)
        throw sql_error(state::cardinality_violation, "key " + key_text(in.key, key) +
                                                          " names more than one row of ledger \"" +
                                                          in.name + "\"");
    return rows == 1;
}

Datum change_of(const ledger &in, money change) {
    if (in.amount.stored == amount_type::kind::numeric)
        return numeric_from_money(change);
    const auto units = change.as_int64();
    switch (in.amount.stored) {
    case amount_type::kind::int16: return Int16GetDatum(static_cast<int16>(*units));
    case amount_type::kind::int32: return Int32GetDatum(static_cast<int32>(*units));
    default: return Int64GetDatum(*units);
    }
}

bool under_row_security(const ledger &in) {
    const Oid table = in.table;
    return pg_call([table] { return check_enable_rls(table, InvalidOid, true); }) == RLS_ENABLED;
}

bool is_there(const ledger &in, Datum key) {
    spi_parameters values;
    values.add(key);
    return execute(in.look, values) > 0;
}

// Why a write named no row, where the row is there all the same: under row security it is not the
// caller's to write, which is as good as not there; otherwise a trigger has swallowed the write.
void explain_no_row(const ledger &in, Datum key) {
    if (!under_row_security(in) && is_there(in, key))
        throw sql_error(state::triggered_action_exception,
                        "the update of row " + key_text(in.key, key) + " of ledger \"" + in.name +
                            "\" was suppressed",
                        "A trigger of the table left the row as it was.");
}

// As the executor asks: the right on the column, or on the whole table.
bool has_right(const ledger &in, AttrNumber column, AclMode right) {
    const Oid table = in.table;
    return pg_call([=] {
        return pg_class_aclcheck(table, GetUserId(), right) == ACLCHECK_OK ||
               pg_attribute_aclcheck(table, column, GetUserId(), right) == ACLCHECK_OK;
    });
}

} // namespace

std::optional<row_state> lock_row(const ledger &in, Datum key) {
    spi_parameters values;
    values.add(key);
    if (!found_one(in, key, execute(in.lock, values)))
        return std::nullopt;
    return read_state(in, key);
}

void check_rights(const ledger &in) {
    if (!has_right(in, in.key_column, ACL_SELECT) || !has_right(in, in.amount_column, ACL_SELECT) ||
        !has_right(in, in.amount_column, ACL_UPDATE))
        throw sql_error(state::insufficient_privilege,
                        std::string{"permission denied for table "} + in.name);
}

bool may_see_row(const ledger &in, Datum key) {
    return !under_row_security(in) || is_there(in, key);
}

std::optional<row_state> add_to_row(const ledger &in, Datum key, money change) {
    spi_parameters values;
    values.add(key);
    values.add(change_of(in, change));
    if (!found_one(in, key, execute(in.write, values))) {
        explain_no_row(in, key);
        return std::nullopt;
    }
    return read_state(in, key);
}

} // namespace lockstep
