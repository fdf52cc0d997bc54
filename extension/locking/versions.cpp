#include "locking/versions.hpp"

#include "core/sql_error.hpp"
#include "ledger/key_expressions.hpp"
#include "locking/key_columns.hpp"
#include "locking/named_values.hpp"
#include "locking/order_guard.hpp"
#include "locking/row_locks.hpp"
#include "pg/kept_plans.hpp"
#include "pg/spi.hpp"

#include <algorithm>
#include <vector>

namespace lockstep {

namespace {

std::int64_t version_from(Oid type, Datum value) {
    switch (type) {
    case INT2OID: return DatumGetInt16(value);
    case INT4OID: return DatumGetInt32(value);
    default: return DatumGetInt64(value);
    }
}

column version_column_of(const table_use &use, const std::string &given) {
    const ledger *const known = use.as_ledger();
    std::optional<column> found;
    if (given.empty() && known != nullptr && known->has(row_column::version))
        found = find_column(use.relation(), "", known->column_of(row_column::version).number);
    else
        found = find_column(use.relation(), given.empty() ? "version" : given.c_str());
    if (!found)
        throw sql_error(state::undefined_column,
                        table_text(use.table()) + " has no column \"" +
                            (given.empty() ? std::string{"version"} : given) + "\"",
                        {}, "Name the column that counts the versions as version_column.");
    if (found->type != INT2OID && found->type != INT4OID && found->type != INT8OID)
        throw sql_error(state::datatype_mismatch, std::string{"version column \""} + found->name +
                                                      "\" is of type " + shown_type(found->type) +
                                                      ", and must be an integer");
    return *found;
}

void refuse_column(const column &one, const char *what, const char *hint) {
    throw sql_error(state::invalid_parameter_value,
                    std::string{"changes must not name "} + what + " \"" + one.name + "\"", {},
                    hint);
}

void check_changes(const table_use &use, const std::vector<column> &changes,
                   const column &version) {
    for (const column &one : changes) {
        if (one.number == version.number)
            refuse_column(one, "the version column", "It is counted up by one.");
        if (std::ranges::count(use.key_columns(), one.number, &column::number) > 0)
            refuse_column(one, "the key column",
                          "Rows have their place in the order by their key.");
        const ledger *const known = use.as_ledger();
        if (known != nullptr && known->column_of(row_column::amount).number == one.number)
            refuse_column(one, "the amount column",
                          "Its journal knows movements alone: use lockstep.adjust().");
    }
}

// Whether the update of such a column keeps the key-share locks of foreign keys waiting, as the
// server sees it.
bool changes_some_key(const table_use &use, const std::vector<column> &changes) {
    const Relation relation = use.relation();
    const auto *first = changes.data();
    const std::size_t count = changes.size();
    return pg_call([=] {
        Bitmapset *keys = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_KEY);
        bool found = false;
        for (std::size_t i = 0; i < count; ++i)
            found =
                found || bms_is_member(first[i].number - FirstLowInvalidHeapAttributeNumber, keys);
        bms_free(keys);
        return found;
    });
}

// One row by its key, with its version.
class versioned_row {
  public:
    versioned_row(const table_use &use, Datum key, const column &version)
        : use_(use), key_(key), version_(version), columns_(use.table().key) {}

    [[nodiscard]] std::optional<std::int64_t> update(std::int64_t expected, Datum changes,
                                                     const std::vector<column> &changed) const {
        std::vector<Oid> types = columns_.types();
        spi_parameters values = columns_.parameters(key_);
        const auto next = [&types](Oid type) {
            types.push_back(type);
            return "$" + std::to_string(types.size());
        };
        const std::string version = "l." + quoted(version_.name);
        const std::string wanted = next(INT8OID);
        values.add(Int64GetDatum(expected));
        std::string set;
        for (const column &one : changed)
            set += quoted(one.name) + " = c." + quoted(one.name) + ", ";
        std::string from;
        if (!changed.empty()) {
            from = " FROM pg_catalog.jsonb_to_record(" + next(JSONBOID) + ") AS " +
                   record_definition("c", changed);
            values.add(changes);
        }
        const uint64 rows =
            execute_kept("UPDATE " + qualified_name(use_.relation()) + " AS l SET " + set +
                             quoted(version_.name) + " = " + version + " OPERATOR(pg_catalog.+) 1" +
                             from + " WHERE " + key_condition() + " AND " + version +
                             " OPERATOR(pg_catalog.=) " + wanted + " RETURNING " + version,
                         types, values, use_.table().table);
        if (rows == 0)
            return std::nullopt;
        return version_from(version_.type, cell(0, 1).value_or(Datum{0}));
    }

    // The version as the caller may read it, null or not; nothing where the row is not there.
    [[nodiscard]] std::optional<std::optional<std::int64_t>> read() const {
        const uint64 rows =
            execute_kept("SELECT l." + quoted(version_.name) + " FROM " +
                             qualified_name(use_.relation()) + " AS l WHERE " + key_condition(),
                         columns_.types(), columns_.parameters(key_), use_.table().table);
        if (rows == 0)
            return std::nullopt;
        const auto found = cell(0, 1);
        if (!found)
            return std::optional<std::int64_t>{};
        return version_from(version_.type, *found);
    }

  private:
    [[nodiscard]] std::string key_condition() const {
        return key_equals_columns(use_.table().key, use_.key_columns(), "$");
    }

    const table_use &use_;
    Datum key_;
    const column &version_;
    key_columns columns_;
};

sql_error not_found(const table_use &use, Datum key) {
    return {state::row_not_found, row_text(use.table(), key) + " not found"};
}

[[noreturn]] void explain(const table_use &use, Datum key, const versioned_row &row,
                          std::int64_t expected) {
    const auto now = row.read();
    if (!now)
        throw not_found(use, key);
    if (*now != expected)
        throw sql_error(state::version_changed, row_text(use.table(), key) + " has another version",
                        "The version is " + (*now ? std::to_string(**now) : "null") + ", and " +
                            std::to_string(expected) + " was expected.",
                        "Read the row again, and decide anew.");
    const Oid table = use.table().table;
    if (pg_call([table] { return check_enable_rls(table, InvalidOid, true); }) == RLS_ENABLED)
        throw not_found(use, key);
    throw sql_error(state::triggered_action_exception,
                    "the update of " + row_text(use.table(), key) + " was suppressed",
                    "A trigger of the table left the row as it was.");
}

} // namespace

std::int64_t update_if_version(const table_use &use, Datum key, std::int64_t expected_version,
                               Datum changes, const std::string &version_name) {
    const column version = version_column_of(use, version_name);
    const std::vector<column> changed = columns_named_in(changes, use.relation(), "changes");
    check_changes(use, changed, version);
    if (rows_to_try(use.table(), {&key, 1}) > 0) {
        const lock_strength strength =
            changes_some_key(use, changed) ? lock_strength::update : lock_strength::no_key_update;
        if (!lock_rows(use, {&key, 1}, strength, lock_wait::block).front())
            throw not_found(use, key);
    }
    const versioned_row row{use, key, version};
    const auto updated = row.update(expected_version, changes, changed);
    if (!updated)
        explain(use, key, row, expected_version);
    hold_row(use.table(), key);
    return *updated;
}

} // namespace lockstep
