#include "ledger/statements.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace lockstep {

namespace {

std::string of_row(const std::optional<column> &one) {
    return one ? "l." + quoted(one->name) : "NULL";
}

// The five values of row_column.
std::string row_values(const ledger_columns &columns) {
    return of_row(columns.amount) + ", " + of_row(columns.version) + ", " + of_row(columns.floor) +
           ", " + of_row(columns.ceiling) + ", " + of_row(columns.frozen);
}

// "key = other", where the key is the row's.
std::string key_equals(const ledger &made, const column &key, const std::string &other) {
    // A domain is compared as what it stands on, lest an operator made for the domain is chosen.
    std::string left = "l." + quoted(key.name);
    if (key.declared_type != key.type)
        left = "(" + left + ")::" + type_name(key.type);
    return left + " " + made.key.equals + " " + other;
}

// InvalidOid where a statement cannot take apart an array of them into values: arrays have no
// arrays, and rows would be taken apart into their columns.
Oid array_of(Oid type) {
    return pg_call([type] { return type_is_rowtype(type) ? InvalidOid : get_array_type(type); });
}

kept_statement kept(const std::string &sql, std::initializer_list<Oid> types, Oid parsed_as) {
    const char *text = sql.c_str();
    const Oid *first = types.begin();
    const int count = static_cast<int>(types.size());
    return pg_call([=] {
        auto *copy = static_cast<Oid *>(palloc(sizeof(Oid) * static_cast<Size>(count)));
        std::copy(first, first + count, copy);
        return kept_statement{pstrdup(text), copy, count, parsed_as, nullptr};
    });
}

void write_for_one(ledger &made, const ledger_columns &columns, const std::string &target) {
    const std::string where = " WHERE " + key_equals(made, columns.key, "$1");
    const std::string values = row_values(columns);
    std::string set = "UPDATE " + target + " AS l SET " + quoted(columns.amount.name) + " = $2";
    if (columns.version)
        set += ", " + quoted(columns.version->name) + " = $3";
    made.set = kept(set + where + " RETURNING " + values,
                    {made.key.type, columns.amount.type, INT8OID}, InvalidOid);
    // Not FOR UPDATE: that would hold up the foreign-key checks of other tables.
    made.lock =
        kept("SELECT " + values + " FROM " + target + " AS l" + where + " FOR NO KEY UPDATE",
             {made.key.type}, InvalidOid);
    made.look = kept("SELECT FROM " + target + " AS l" + where, {made.key.type}, InvalidOid);
}

// The rows are locked, in the order of their numbers, by one statement; then written by another,
// whose order no longer matters. What is written is the value, not the change: it was reckoned from
// the locked row.
void write_for_many(ledger &made, const ledger_columns &columns, const std::string &target) {
    const std::string values = row_values(columns);
    const Oid keys = array_of(made.key.type);
    if (!OidIsValid(keys))
        return;
    made.lock_many =
        kept("SELECT k.number, " + values +
                 " FROM pg_catalog.unnest($1) WITH ORDINALITY AS k(key, number) JOIN " + target +
                 " AS l ON " + key_equals(made, columns.key, "k.key") +
                 " ORDER BY k.number FOR NO KEY UPDATE OF l",
             {keys}, InvalidOid);
    std::string write =
        "UPDATE " + target + " AS l SET " + quoted(columns.amount.name) + " = v.amount";
    if (columns.version)
        write += ", " + quoted(columns.version->name) + " = v.version";
    made.write_many =
        kept(write +
                 " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
                 " pg_catalog.unnest($3)) WITH ORDINALITY AS v(key, amount, version, number)"
                 " WHERE " +
                 key_equals(made, columns.key, "v.key") + " RETURNING v.number, " + values,
             {keys, array_of(columns.amount.type), INT8ARRAYOID}, InvalidOid);
}

// Both are parsed with the rights that they run with: the caller need not reach the journal's
// schema. Ids go in in their own order, so that two sessions never wait for each other's. What is
// returned shows what a trigger has made of the rows.
void write_for_journal(ledger &made, const std::string &journal) {
    const std::string insert = "INSERT INTO " + journal +
                               " (request_id, booked_at, from_key, to_key, amount, from_balance,"
                               " to_balance, refusal, entry, memo) OVERRIDING SYSTEM VALUE ";
    const std::string unless_booked =
        " ON CONFLICT (request_id) DO NOTHING RETURNING request_id, booked_at, from_key, to_key,"
        " amount, from_balance, to_balance, refusal, entry";
    made.book = kept(insert + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" + unless_booked,
                     {UUIDOID, TIMESTAMPTZOID, made.key.type, made.key.type, NUMERICOID, NUMERICOID,
                      NUMERICOID, TEXTOID, INT8OID, JSONBOID},
                     made.journal_owner);
    const Oid keys = array_of(made.key.type);
    if (!OidIsValid(keys))
        return;
    made.book_many =
        kept(insert +
                 "SELECT b.request_id, $2, b.from_key,"
                 " b.to_key, b.amount, b.from_balance, b.to_balance, b.refusal, b.entry, b.memo"
                 " FROM ROWS FROM ("
                 "pg_catalog.unnest($1), pg_catalog.unnest($3), pg_catalog.unnest($4),"
                 " pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7),"
                 " pg_catalog.unnest($8), pg_catalog.unnest($9), pg_catalog.unnest($10))"
                 " WITH ORDINALITY AS b(request_id, from_key, to_key, amount, from_balance,"
                 " to_balance, refusal, entry, memo, number)"
                 " ORDER BY b.number" +
                 unless_booked,
             {UUIDARRAYOID, TIMESTAMPTZOID, keys, keys, NUMERICARRAYOID, NUMERICARRAYOID,
              NUMERICARRAYOID, TEXTARRAYOID, INT8ARRAYOID, JSONBARRAYOID},
             made.journal_owner);
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
