#include "ledger/agreement.hpp"

#include "core/sql_error.hpp"
#include "ledger/journal_legs.hpp"
#include "ledger/key_expressions.hpp"
#include "ledger/key_row_type.hpp"
#include "pg/row_key.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>

namespace lockstep {

namespace {

std::string name_now(Relation table, const registered_column &then) {
    const auto there = find_column(table, "", then.position);
    return there ? there->name : then.name;
}

bool is_number(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
}

// How a key of the table compares with one of the journal. The journal may still have the key's
// type of before, and follows by the text: then they compare by that.
struct comparison {
    std::string of_table;
    std::string of_journal;
    std::string equals;
};

comparison compare_as(const std::string &of_table, const char *type) {
    const std::string cast = std::string{"::pg_catalog."} + type;
    return {of_table + cast, "key" + cast, "OPERATOR(pg_catalog.=)"};
}

comparison compare_as(const key_type &type, std::span<const column> key) {
    return {key_of_row(type, key), "key", type.equals};
}

comparison compare_keys(Relation journal, std::span<const column> key) {
    if (key.size() > 1) {
        if (const auto one = find_key_as_one(journal, key))
            return compare_as(row_key_type_of(*one, key), key);
        std::string values;
        for (const column &one : key)
            values += (values.empty() ? "" : ", ") + ("l." + quoted(one.name));
        return compare_as("ROW(" + values + ")", "text");
    }
    const column &one = key.front();
    const auto kept = find_column(journal, name_of(journal_column::from_key));
    if (kept && kept->type == one.type && kept->collation == one.collation)
        return compare_as(key_type_of(one), key);
    return compare_as("l." + quoted(one.name),
                      kept && is_number(kept->type) && is_number(one.type) ? "numeric" : "text");
}

struct disagreement {
    std::string key;
    std::string balance;
    std::optional<std::string> amount; // none where there is no such row
};

// The query for the first one. A row that is gone has no amount to differ in.
std::string disagreements(Relation table, Relation journal, const ledger_columns &columns,
                          bool gone_too) {
    const comparison keys = compare_keys(journal, columns.key);
    return "SELECT concat(n.key), concat(n.balance), CASE WHEN l.found THEN concat(l.amount) END"
           " FROM (SELECT DISTINCT ON (key) " +
           keys.of_journal + " AS key, balance FROM (" + legs_of(qualified_name(journal)) +
           ") AS legs ORDER BY key, entry DESC) AS n LEFT JOIN (SELECT " + keys.of_table +
           " AS key, l." + quoted(columns.amount.name) +
           "::numeric AS amount, true AS found FROM " + qualified_name(table) +
           " AS l) AS l ON l.key " + keys.equals +
           " n.key WHERE l.amount IS DISTINCT FROM n.balance" + (gone_too ? "" : " AND l.found") +
           " ORDER BY concat(n.key) COLLATE \"C\" LIMIT 1";
}

// Runs it on what is committed now, whatever the transaction's snapshot says.
std::optional<disagreement> first_of(const std::string &disagreements) {
    spi_session session;
    pg_call([] {
        CommandCounterIncrement(); // what the same statement has booked counts
        PushActiveSnapshot(GetLatestSnapshot());
    });
    std::optional<disagreement> found;
    if (query(disagreements) > 0) {
        const auto text = [](int number) { return text_of(cell(0, number).value()); };
        found = {text(1), text(2), std::nullopt};
        if (cell(0, 3))
            found->amount = text(3);
    }
    pg_call([] { PopActiveSnapshot(); });
    session.finish();
    return found;
}

std::string shown(const disagreement &one) {
    return "Row " + one.key + " has " + one.balance + " in the journal, and " +
           (!one.amount           ? "is not there"
            : one.amount->empty() ? "no amount"
                                  : *one.amount) +
           " in the table.";
}

std::string change(const char *what, const std::string &before, const column &now) {
    return std::string{"The "} + what + " was \"" + before + "\" and is to be \"" + now.name +
           "\". ";
}

// The first one, and the journal as messages name it; none where the journal is gone, or another
// role's, which is refused for that.
struct differing_journal {
    std::string name;
    disagreement first;
};

std::optional<differing_journal> differing(Relation table, Oid oid, const ledger_columns &columns,
                                           bool gone_too) {
    const Relation journal = open_relation(oid, ShareUpdateExclusiveLock);
    if (journal == nullptr)
        return std::nullopt;
    const std::string name = shown_name(journal);
    const bool is_another_owners = journal->rd_rel->relowner != table->rd_rel->relowner;
    const std::string statement = disagreements(table, journal, columns, gone_too);
    close_relation(journal);
    if (is_another_owners)
        return std::nullopt;
    auto found = first_of(statement);
    if (!found)
        return std::nullopt;
    return differing_journal{name, std::move(*found)};
}

} // namespace

void require_agreement(Relation table, const ledger_columns &columns, const registration &before) {
    const bool other_key = !is_same_key(table, before.key, columns.key);
    if (other_key && (before.key.size() > 1 || columns.key.size() > 1))
        return; // key_row_type speaks of those
    const bool other_amount = !is_same_column(table, before.amount, columns.amount);
    if (!other_key && !other_amount)
        return;
    if (const auto found = differing(table, before.journal, columns, other_key))
        throw sql_error(
            state::invalid_parameter_value,
            "journal \"" + found->name + "\" has the balances of another column",
            (other_key ? change("key", name_now(table, before.key.front()), columns.key.front())
                       : "") +
                (other_amount ? change("amount", name_now(table, before.amount), columns.amount)
                              : "") +
                shown(found->first),
            "Register the column as it was, or give the new one its values first; or keep a copy "
            "of the journal and drop it with lockstep.drop_ledger(..., drop_journal => true).");
}

void require_journal_of(Relation table, const ledger_columns &columns, Oid oid) {
    if (const auto found = differing(table, oid, columns, false))
        throw sql_error(state::invalid_parameter_value,
                        "journal \"" + found->name + "\" has other balances than ledger \"" +
                            shown_name(table) + "\"",
                        shown(found->first),
                        "Register the ledger with the columns that it had; where its amounts were "
                        "changed since, put them back first.");
}

} // namespace lockstep
