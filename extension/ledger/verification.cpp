#include "ledger/verification.hpp"

#include "core/sql_error.hpp"
#include "ledger/journal_legs.hpp"
#include "ledger/journal_table.hpp"
#include "ledger/key_expressions.hpp"
#include "ledger/key_row_type.hpp"
#include "pg/row_key.hpp"
#include "pg/sequence.hpp"

namespace lockstep {

namespace {

std::string bound(const std::optional<column> &one, const std::optional<money> &constant) {
    if (one)
        return "l." + quoted(one->name) + "::numeric";
    return constant ? "'" + constant->to_string() + "'::numeric" : "NULL::numeric";
}

// What is hidden would be told as missing, or not at all. A caller without any right on the table
// is told so here; the statement would say it with all of its text behind it.
void require_every_row(Relation table, const char *what) {
    const Oid oid = RelationGetRelid(table);
    if (pg_call([oid] {
            return pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
                   pg_attribute_aclcheck_all(oid, GetUserId(), ACL_SELECT, ACLMASK_ANY) !=
                       ACLCHECK_OK;
        }))
        throw sql_error(state::insufficient_privilege,
                        std::string{"permission denied for table "} +
                            RelationGetRelationName(table),
                        {}, "verify_ledger needs SELECT on the ledger and on its journal.");
    if (pg_call([oid] { return check_enable_rls(oid, InvalidOid, true); }) == RLS_ENABLED)
        throw sql_error(state::insufficient_privilege,
                        std::string{"row security hides rows of "} + what + " \"" +
                            shown_name(table) + "\"",
                        {}, "Verify it as the table's owner or as a role with BYPASSRLS.");
}

} // namespace

std::string verification_query(Oid oid) {
    const Relation table = open_relation(oid, AccessShareLock);
    if (table == nullptr)
        throw sql_error(state::not_a_ledger,
                        "relation with OID " + std::to_string(oid) + " does not exist");
    const registration row = registration_of_ledger(table);
    require_every_row(table, "ledger");
    const ledger_columns columns = checked_columns(table, row);
    const Relation journal = open_relation(row.journal, AccessShareLock);
    if (journal == nullptr)
        throw sql_error(state::not_a_ledger,
                        "table \"" + shown_name(table) + "\" cannot be used as a ledger",
                        "Its journal is gone.");
    require_every_row(journal, "journal");
    const column one = key_as_one(journal, columns.key);
    const journal_layout layout = checked_journal(journal, one, row.journal_version);
    // The caller's snapshot was taken before: a sequence that is right is past what it shows.
    const std::string coming = std::to_string(coming_value(layout.entry_sequence));

    const key_type type =
        columns.key.size() == 1 ? key_type_of(one) : row_key_type_of(one, columns.key);
    const std::string equals = type.equals;
    const std::string key = key_of_row(type, columns.key);
    const std::string from_ledger = qualified_name(table);
    const std::string from_journal = qualified_name(journal);
    close_relation(journal);
    close_relation(table);

    // concat() shows a key by its type's output function; a cast to text could be anybody's.
    // A leg knows the balance after it; so the one before it is known too, and the legs of a row
    // must hang together, the last of them with the row itself.
    return "WITH amounts AS (SELECT " + key + " AS key, l." + quoted(columns.amount.name) +
           "::numeric AS amount, " + bound(columns.floor, row.floor) + " AS floor, " +
           bound(columns.ceiling, row.ceiling) + " AS ceiling FROM " + from_ledger +
           " AS l), legs AS (" + legs_of(from_journal) +
           "), "
           "chain AS (SELECT key, request_id, entry, change, balance,"
           " lag(balance) OVER by_row AS before, lead(entry) OVER by_row IS NULL AS is_last"
           " FROM legs WINDOW by_row AS (PARTITION BY key ORDER BY entry)), "
           "violations AS ("
           "SELECT 'amount is not a number' AS violation, concat(key) AS key,"
           " NULL::uuid AS request_id, NULL::numeric AS expected, amount AS found FROM amounts"
           " WHERE amount IS NULL OR amount IN ('NaN', 'Infinity', '-Infinity') "
           "UNION ALL SELECT 'below floor', concat(key), NULL, floor, amount FROM amounts"
           " WHERE amount < floor "
           "UNION ALL SELECT 'above ceiling', concat(key), NULL, ceiling, amount FROM amounts"
           " WHERE amount > ceiling AND amount NOT IN ('NaN') "
           "UNION ALL SELECT 'journal does not add up', concat(key), request_id, before + change,"
           " balance FROM chain WHERE before IS NOT NULL AND before + change <> balance "
           "UNION ALL SELECT 'amount is not the journal''s', concat(c.key), c.request_id, "
           "c.balance,"
           " a.amount FROM chain AS c JOIN amounts AS a ON a.key " +
           equals +
           " c.key"
           " WHERE c.is_last AND a.amount IS DISTINCT FROM c.balance "
           "UNION ALL SELECT 'row is gone', concat(c.key), c.request_id, c.balance, NULL"
           " FROM chain AS c WHERE c.is_last AND NOT EXISTS (SELECT FROM amounts AS a"
           " WHERE a.key " +
           equals +
           " c.key) UNION ALL SELECT 'sequence is behind', NULL, NULL, max(entry)::numeric + 1, " +
           coming + "::numeric FROM " + from_journal + " HAVING max(entry) >= " + coming +
           ") "
           "SELECT violation::text, key::text, request_id::uuid, expected::numeric, found::numeric"
           " FROM violations ORDER BY violation, key COLLATE \"C\", request_id";
}

} // namespace lockstep
