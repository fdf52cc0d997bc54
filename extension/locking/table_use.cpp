#include "locking/table_use.hpp"

#include "core/sql_error.hpp"
#include "ledger/registration.hpp"
#include "pg/row_key.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"

#include <algorithm>

namespace lockstep {

namespace {

inline namespace guarded {

bool has_some_right(Oid table, AclMode right) {
    return pg_class_aclcheck(table, GetUserId(), right) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(table, GetUserId(), right, ACLMASK_ANY) == ACLCHECK_OK;
}

} // namespace guarded

[[noreturn]] void gone(Oid table) {
    throw sql_error(state::undefined_table,
                    "relation with OID " + std::to_string(table) + " does not exist");
}

// What SELECT ... FOR UPDATE asks for of a table, as far as it does not depend on its columns:
// before anything is waited for.
void check_rights_to_lock(Oid table) {
    if (!relation_exists(table))
        gone(table);
    require_schema_usage(table);
    if (!pg_call([table] {
            return has_some_right(table, ACL_SELECT) && has_some_right(table, ACL_UPDATE);
        }))
        throw sql_error(state::insufficient_privilege,
                        "permission denied for table " + shown_name_of(table, "?"));
}

Relation open_table(Oid table) {
    check_rights_to_lock(table);
    Relation opened = open_relation(table, RowShareLock);
    if (opened == nullptr)
        gone(table);
    const char kind = opened->rd_rel->relkind;
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        throw sql_error(state::wrong_object_type,
                        "\"" + shown_name(opened) + "\" is not a table whose rows can be locked",
                        "Only tables and partitioned tables are.");
    return opened;
}

} // namespace

std::vector<column> named_columns(Relation table, std::span<const std::string> names) {
    if (names.size() > INDEX_MAX_KEYS)
        throw sql_error(state::program_limit_exceeded,
                        "a key has at most " + std::to_string(INDEX_MAX_KEYS) + " columns");
    std::vector<column> columns;
    for (const std::string &name : names) {
        const auto found = find_column(table, name.c_str());
        if (!found)
            throw sql_error(state::undefined_column,
                            "table \"" + shown_name(table) + "\" has no column \"" + name + "\"");
        if (std::ranges::count(columns, found->number, &column::number) > 0)
            throw sql_error(state::invalid_parameter_value,
                            "key column \"" + name + "\" is named twice");
        columns.push_back(*found);
    }
    return columns;
}

namespace {

// By their places in the table.
std::vector<column> numbered_columns(Relation table, std::span<const AttrNumber> numbers) {
    std::vector<column> columns;
    for (const AttrNumber number : numbers)
        columns.push_back(find_column(table, "", number).value());
    return columns;
}

bool has_columns(const keyed_table &target, std::span<const column> columns) {
    return std::ranges::equal(
        std::span{target.key_columns, static_cast<std::size_t>(target.key_count)}, columns, {}, {},
        &column::number);
}

} // namespace

const keyed_table *describe_by_key(Relation table, std::span<const column> columns,
                                   const char *hint_without_key) {
    if (columns.empty())
        throw sql_error(state::invalid_column_reference,
                        "table \"" + shown_name(table) + "\" has no primary key", {},
                        hint_without_key);
    auto *made = static_cast<keyed_table *>(pg_call([] { return palloc0(sizeof(keyed_table)); }));
    std::vector<AttrNumber> numbers;
    for (const column &one : columns)
        numbers.push_back(one.number);
    made->kind = "table";
    describe_place(*made, table, numbers);
    if (!OidIsValid(made->key_index))
        throw sql_error(state::invalid_column_reference,
                        "table \"" + shown_name(table) +
                            "\" has no unique index on just the key "
                            "columns",
                        {}, "It must be valid, not deferrable, and without a predicate.");
    made->key = columns.size() == 1 ? key_type_of(columns.front()) : row_key_type_of(columns);
    return made;
}

table_use::table_use(Oid table)
    : table_use(table, {}, "Only lock_rows and apply_in_chunks go by another unique index.") {}

table_use::table_use(Oid table, std::span<const std::string> key_columns)
    : table_use(table, key_columns, "Name the columns of another unique index as key_columns.") {}

table_use::table_use(Oid table, std::span<const std::string> key_columns,
                     const char *hint_without_key)
    : relation_(open_table(table)) {
    columns_ = named_columns(relation_, key_columns);
    const auto registered = find_registration(table);
    if (registered && registered->active && !registered->disputed) {
        const ledger &known = ledgers_.open(table);
        if (columns_.empty())
            columns_ = numbered_columns(
                relation_, {known.key_columns, static_cast<std::size_t>(known.key_count)});
        if (has_columns(known, columns_))
            table_ = ledger_ = &known;
    }
    if (table_ != nullptr)
        return;
    if (columns_.empty())
        columns_ = primary_key_columns(relation_);
    table_ = describe_by_key(relation_, columns_, hint_without_key);
}

call_vector<Datum> table_use::keys_from(std::span<const Datum> values, Oid given,
                                        const char *name) const {
    List *held = hold_keys(nullptr, values, given);
    call_vector<Datum> keys;
    keys.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        check_interrupts();
        const error_context context{"key", i + 1};
        keys.push_back(key_from(values[i], given, name, table_->key));
    }
    pg_call([held] { release_types(held); });
    return keys;
}

void table_use::close() {
    ledgers_.close();
    close_relation(relation_);
}

} // namespace lockstep
