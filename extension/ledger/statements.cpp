#include "ledger/statements.hpp"

#include "ledger/key_expressions.hpp"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

namespace {

std::string of_row(const std::optional<column> &one) {
    return one ? "l." + quoted(one->name) : "NULL";
}

// The five values of row_column, and those of the columns that must match.
std::string row_values(const ledger_columns &columns) {
    std::string values = of_row(columns.amount) + ", " + of_row(columns.version) + ", " +
                         of_row(columns.floor) + ", " + of_row(columns.ceiling) + ", " +
                         of_row(columns.frozen);
    for (const column &one : columns.match)
        values += ", " + of_row(one);
    return values;
}

// InvalidOid where the type has no arrays.
Oid array_of(Oid type) {
    return pg_call([type] { return get_array_type(type); });
}

kept_statement kept(const std::string &sql, std::span<const Oid> types, Oid parsed_as) {
    const char *text = sql.c_str();
    const Oid *first = types.data();
    const int count = static_cast<int>(types.size());
    return pg_call([=] {
        auto *copy = static_cast<Oid *>(palloc(sizeof(Oid) * static_cast<Size>(count)));
        std::copy(first, first + count, copy);
        return kept_statement{pstrdup(text), copy, count, parsed_as, nullptr};
    });
}

kept_statement kept(const std::string &sql, std::initializer_list<Oid> types) {
    return kept(sql, {types.begin(), types.size()}, InvalidOid);
}

void write_for_one(ledger &made, const ledger_columns &columns, const std::string &target) {
    const std::string where = " WHERE " + key_equals_parameter(made.key, columns.key);
    const std::string values = row_values(columns);
    std::string set = "UPDATE " + target + " AS l SET " + quoted(columns.amount.name) + " = $2";
    if (columns.version)
        set += ", " + quoted(columns.version->name) + " = $3";
    // What code of the user's has made of the amount since it was locked is not written over.
    const column &amount = columns.amount;
    const std::string before = amount.declared_type == amount.type
                                   ? of_row(amount)
                                   : "(" + of_row(amount) + ")::" + type_name(amount.type);
    made.set =
        kept(set + where + " AND " + before + " OPERATOR(pg_catalog.=) $4 RETURNING " + values,
             {made.key.type, amount.type, INT8OID, amount.type});
    // Not FOR UPDATE: that would hold up the foreign-key checks of other tables.
    const std::string lock =
        "SELECT " + values + " FROM " + target + " AS l" + where + " FOR NO KEY UPDATE";
    made.lock = kept(lock, {made.key.type});
    made.try_lock = kept(lock + " SKIP LOCKED", {made.key.type});
    made.look = kept("SELECT FROM " + target + " AS l" + where, {made.key.type});
}

// The rows are locked, in the order of their numbers, by one statement; then written by another,
// whose order no longer matters. What is written is the value, not the change: it was reckoned from
// the locked row.
void write_for_many(ledger &made, const ledger_columns &columns, const std::string &target) {
    const std::string values = row_values(columns);
    const Oid keys = array_of_keys(made.key);
    if (!OidIsValid(keys))
        return;
    const std::string lock = "SELECT k.number, " + values +
                             " FROM pg_catalog.unnest($1) WITH ORDINALITY AS k(" +
                             element_columns(made.key, "key") + ", number) JOIN " + target +
                             " AS l ON " + key_equals_element(made.key, columns.key, "k") +
                             " ORDER BY k.number FOR NO KEY UPDATE OF l";
    made.lock_many = kept(lock, {keys});
    made.try_many = kept(lock + " SKIP LOCKED", {keys});
    std::string write =
        "UPDATE " + target + " AS l SET " + quoted(columns.amount.name) + " = v.amount";
    if (columns.version)
        write += ", " + quoted(columns.version->name) + " = v.version";
    made.write_many =
        kept(write +
                 " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
                 " pg_catalog.unnest($3)) WITH ORDINALITY AS v(" +
                 element_columns(made.key, "key") + ", amount, version, number) WHERE " +
                 key_equals_element(made.key, columns.key, "v") + " RETURNING v.number, " + values,
             {keys, array_of(columns.amount.type), INT8ARRAYOID});
}

// The columns that this journal has; their parameters are numbered in this order.
std::vector<journal_column_definition> columns_of(const journal_layout &layout) {
    std::vector<journal_column_definition> there;
    for (const journal_column_definition &one : journal_definition)
        if (layout.has(one.column))
            there.push_back(one);
    return there;
}

std::string listed(std::span<const std::string> texts) {
    std::string list;
    for (const std::string &one : texts)
        list += (list.empty() ? "" : ", ") + one;
    return list;
}

// Both are parsed with the rights that they run with: the caller need not reach the journal's
// schema. Ids go in in their own order, so that two sessions never wait for each other's. What is
// returned shows what a trigger has made of the rows.
void write_for_journal(ledger &made, const std::string &journal) {
    const auto columns = columns_of(made.layout);
    std::vector<std::string> names;
    std::vector<std::string> checked;
    std::vector<std::string> parameters;
    std::vector<std::string> in_row;    // what the row of a statement for many has in the column
    std::vector<std::string> of_arrays; // the columns that come as arrays, and the arrays
    std::vector<std::string> arrays;
    std::vector<Oid> types;
    std::vector<Oid> array_types;
    for (const journal_column_definition &one : columns) {
        const std::string parameter = "$" + std::to_string(parameters.size() + 1);
        const Oid type = type_of(one, made.key.type);
        parameters.push_back(parameter);
        names.emplace_back(one.name);
        if (one.may_be_changed == changeable::no)
            checked.emplace_back(one.name);
        types.push_back(type);
        if (one.when == filled::once_a_call) {
            in_row.push_back(parameter);
            array_types.push_back(type);
        } else {
            const bool is_key = !OidIsValid(one.type);
            const std::string element = std::string{"b."} + one.name;
            in_row.push_back(is_key ? element_as_key(made.key, element) : element);
            of_arrays.push_back(is_key ? element_columns(made.key, one.name) : one.name);
            arrays.push_back("pg_catalog.unnest(" + parameter + ")");
            array_types.push_back(is_key ? array_of_keys(made.key) : array_of(type));
        }
    }
    const std::string insert =
        "INSERT INTO " + journal + " (" + listed(names) + ") OVERRIDING SYSTEM VALUE ";
    const std::string unless_there = std::string{" ON CONFLICT ("} +
                                     name_of(journal_column::request_id) +
                                     ") DO NOTHING RETURNING " + listed(checked);
    made.append = kept(insert + "VALUES (" + listed(parameters) + ")" + unless_there, types,
                       made.journal_owner);
    if (std::ranges::count(array_types, InvalidOid) > 0)
        return;
    made.append_many = kept(insert + "SELECT " + listed(in_row) + " FROM ROWS FROM (" +
                                listed(arrays) + ") WITH ORDINALITY AS b(" + listed(of_arrays) +
                                ", number) ORDER BY b.number" + unless_there,
                            array_types, made.journal_owner);
}

} // namespace

void write_statements(ledger &made, const ledger_columns &columns, Relation table,
                      Relation journal) {
    const std::string target = qualified_name(table);
    write_for_one(made, columns, target);
    write_for_many(made, columns, target);
    write_for_journal(made, qualified_name(journal));
}

void release_statements(ledger &made) noexcept {
    for (const kept_statement *one : made.statements())
        if (one->plan != nullptr) {
            SPI_freeplan(one->plan);
            one->plan = nullptr;
        }
}

} // namespace lockstep
