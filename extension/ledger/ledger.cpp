#include "ledger/ledger.hpp"

#include "ledger/key_row_type.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

namespace lockstep {

namespace {

static_assert(std::is_trivially_destructible_v<ledger>);
static_assert(alignof(ledger) <= MAXIMUM_ALIGNOF);

[[noreturn]] void not_usable(Relation table, const std::string &why, std::string hint = {}) {
    throw unusable(table, why, std::move(hint));
}

column needed(Relation table, const registered_column &wanted) {
    const auto found = find_column(table, wanted.name, wanted.position);
    // The name is another column's now, and the registered column is there under another name.
    const auto positioned = find_column(table, "", wanted.position);
    if (found && positioned && found->number != positioned->number)
        throw needs_registration(
            state::not_a_ledger,
            "column \"" + std::string{wanted.name} + "\" of ledger \"" + shown_name(table) +
                "\" is not the one that was registered",
            "That one is called \"" + std::string{positioned->name} + "\" now.",
            "Call lockstep.register_ledger to name the columns of the ledger.");
    if (found)
        return *found;
    throw needs_registration(state::undefined_column,
                             "column \"" + std::string{wanted.name} + "\" of ledger \"" +
                                 shown_name(table) + "\" does not exist",
                             {},
                             "Call lockstep.register_ledger to name the columns of the ledger.");
}

std::optional<column> optional_column(Relation table, const registered_column &wanted) {
    if (!wanted.exists())
        return std::nullopt;
    return needed(table, wanted);
}

bool is_integer(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

void need_type(Relation table, const std::optional<column> &one, bool fits, const char *wanted) {
    if (one && !fits)
        throw sql_error(state::datatype_mismatch,
                        "column \"" + std::string{one->name} + "\" of ledger \"" +
                            shown_name(table) + "\" has type " + shown_type(one->declared_type),
                        std::string{wanted});
}

// The key's columns, with the proof that they name a row.
std::vector<column> key_columns(Relation table, std::span<const registered_column> wanted) {
    std::vector<column> found;
    for (const registered_column &one : wanted)
        found.push_back(needed(table, one));
    if (OidIsValid(unique_index_on(table, numbers_of(found))))
        return found;
    if (found.size() == 1)
        not_usable(table,
                   "Column \"" + std::string{found.front().name} +
                       "\" has no unique index of its own.",
                   "A key names one row: a primary key or a unique constraint on that column "
                   "alone, not deferrable. Of a key of several columns, name all in key_columns.");
    not_usable(table, "Columns " + column_list(found) + " have no unique index of their own.",
               "A key names one row: a primary key or a unique constraint on just these columns, "
               "not deferrable.");
}

} // namespace

void check_table_kind(Relation table) {
    const char kind = table->rd_rel->relkind;
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        throw sql_error(state::wrong_object_type, "\"" + shown_name(table) + "\" is not a table",
                        "A ledger is an ordinary or a partitioned table.");
    if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
        not_usable(table, "It is a temporary table.");
    if (pg_call([table] { return IsSystemRelation(table); }))
        not_usable(table, "It is a system catalog.");
    if (has_rules(table))
        not_usable(table, "It has rewrite rules.", "Use triggers instead of rules.");
}

amount_type amount_type_of(const column &amount) {
    amount_type type{};
    switch (amount.type) {
    case INT2OID: type.stored = amount_type::kind::int16; return type;
    case INT4OID: type.stored = amount_type::kind::int32; return type;
    case INT8OID: type.stored = amount_type::kind::int64; return type;
    case NUMERICOID:
        type.stored = amount_type::kind::numeric;
        if (amount.typmod >= static_cast<int32>(VARHDRSZ)) {
            const int32 limits = amount.typmod - static_cast<int32>(VARHDRSZ);
            type.has_limits = true;
            type.precision = (limits >> 16) & 0xffff;
            // Eleven bits with a sign, since numeric takes negative scales.
            type.scale = ((limits & 0x7ff) ^ 1024) - 1024;
        }
        return type;
    default:
        throw sql_error(state::not_a_ledger,
                        "amount column \"" + std::string{amount.name} + "\" has type " +
                            shown_type(amount.declared_type),
                        "Amounts are exact: smallint, integer, bigint or numeric.");
    }
}

std::vector<AttrNumber> numbers_of(std::span<const column> columns) {
    std::vector<AttrNumber> numbers;
    for (const column &one : columns)
        numbers.push_back(one.number);
    return numbers;
}

ledger_columns checked_columns(Relation table, const registration &row) {
    check_table_kind(table);
    ledger_columns columns{key_columns(table, row.key),
                           needed(table, row.amount),
                           optional_column(table, row.floor_column),
                           optional_column(table, row.ceiling_column),
                           optional_column(table, row.version_column),
                           optional_column(table, row.frozen_column),
                           {}};
    for (const registered_column &one : row.match)
        columns.match.push_back(needed(table, one));

    if (columns.amount.is_generated)
        not_usable(table, "Column \"" + std::string{columns.amount.name} + "\" is generated.");
    const auto is_of_key = [&columns](const column &other) {
        return std::ranges::any_of(
            columns.key, [&other](const column &one) { return one.number == other.number; });
    };
    if (is_of_key(columns.amount))
        not_usable(table, "The amount cannot be a column of the key.");
    static_cast<void>(amount_type_of(columns.amount));

    const auto bound_type = [](const std::optional<column> &one) {
        return one && (is_integer(one->type) || one->type == NUMERICOID);
    };
    need_type(table, columns.floor, bound_type(columns.floor),
              "A floor is smallint, integer, bigint or numeric.");
    need_type(table, columns.ceiling, bound_type(columns.ceiling),
              "A ceiling is smallint, integer, bigint or numeric.");
    need_type(table, columns.version, columns.version && is_integer(columns.version->type),
              "A version is smallint, integer or bigint.");
    need_type(table, columns.frozen, columns.frozen && columns.frozen->type == BOOLOID,
              "Whether a row is frozen is boolean.");
    if (columns.version &&
        (columns.version->is_generated || columns.version->number == columns.amount.number ||
         is_of_key(*columns.version)))
        not_usable(table, "The version needs a column of its own that may be written.");
    for (const column &one : columns.match) {
        need_type(table, one, can_be_matched(one.type),
                  "A column that must match needs a type with an equality operator, of a default "
                  "btree or hash operator class.");
        if (one.number == columns.amount.number ||
            (columns.version && one.number == columns.version->number))
            not_usable(table, "Column \"" + std::string{one.name} +
                                  "\" cannot be one that must match: movements write it.");
    }
    return columns;
}

sql_error unusable(Relation table, const std::string &why, std::string hint) {
    return {state::not_a_ledger, "table \"" + shown_name(table) + "\" cannot be used as a ledger",
            why, std::move(hint)};
}

sql_error journal_gone(Relation table) {
    return unusable(table, "Its journal is gone.",
                    "Call lockstep.register_ledger to make a new journal.");
}

} // namespace lockstep
