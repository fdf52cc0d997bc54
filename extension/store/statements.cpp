#include "store/statements.hpp"

#include "pg/role.hpp"
#include "pg/spi.hpp"

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

std::string where_key(const ledger &made, const column &key) {
    // A domain is compared as what it stands on, lest an operator made for the domain is chosen.
    std::string left = "l." + quoted(key.name);
    if (key.declared_type != key.type)
        left = "(" + left + ")::" + type_name(key.type);
    return " WHERE " + left + " " + made.key.equals + " $1";
}

} // namespace

void prepare_statements(ledger &made, const ledger_columns &columns, Relation table,
                        Relation journal) {
    const std::string target = qualified_name(table);
    const std::string where = where_key(made, columns.key);
    const std::string values = row_values(columns);
    const std::string amount = quoted(columns.amount.name);

    std::string write = "UPDATE " + target + " AS l SET " + amount + " = l." + amount +
                        " OPERATOR(pg_catalog.+) $2";
    if (columns.version) {
        const std::string version = quoted(columns.version->name);
        write += ", " + version + " = l." + version +
                 " OPERATOR(pg_catalog.+) '1'::" + type_name(columns.version->type);
    }
    made.write = prepare_kept(write + where + " RETURNING " + values,
                              {made.key.type, made.amount_column_type});

    // Not FOR UPDATE: that would hold up the foreign-key checks of other tables.
    made.lock = prepare_kept("SELECT " + values + " FROM " + target + " AS l" + where +
                                 " FOR NO KEY UPDATE",
                             {made.key.type});
    made.look = prepare_kept("SELECT FROM " + target + " AS l" + where, {made.key.type});

    // Parsed with the rights that it runs with: the caller need not reach the journal's schema.
    as_role owner{made.journal_owner};
    made.book = prepare_kept(
        "INSERT INTO " + qualified_name(journal) +
            " (request_id, booked_at, from_key, to_key, amount, from_balance, to_balance, refusal,"
            " memo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (request_id) DO "
            "NOTHING",
        {UUIDOID, TIMESTAMPTZOID, made.key.type, made.key.type, NUMERICOID, NUMERICOID, NUMERICOID,
         TEXTOID, JSONBOID});
    owner.leave();
}

void release_statements(ledger &made) noexcept {
    for (SPIPlanPtr *plan : {&made.write, &made.lock, &made.look, &made.book})
        if (*plan != nullptr) {
            SPI_freeplan(*plan);
            *plan = nullptr;
        }
}

} // namespace lockstep
