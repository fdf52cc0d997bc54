#include "ledger/journal_table.hpp"

#include "core/sql_error.hpp"
#include "ledger/distribution.hpp"
#include "ledger/newest_entry.hpp"
#include "ledger/registration.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace lockstep {

namespace {

// A key's type as the journal keeps it: what a domain stands on, so that no check of the caller's
// runs when the journal is written.
std::string key_column_type(const column &key) {
    std::string text = type_name(key.type);
    if (OidIsValid(key.collation))
        text += " COLLATE " + collation_name(key.collation);
    return text;
}

std::string column_definition(const journal_column_definition &one, const std::string &key_type) {
    const std::string type = OidIsValid(one.type) ? type_name(one.type) : key_type;
    return std::string{one.name} + " " + type + (one.when == filled::sometimes ? "" : " NOT NULL") +
           one.clause;
}

std::string create_statement(const std::string &name, Relation table, const column &key) {
    const bool unlogged = table->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED;
    const std::string key_type = key_column_type(key);
    std::string columns;
    for (const journal_column_definition &one : journal_definition)
        columns += (columns.empty() ? "" : ", ") + column_definition(one, key_type);
    return std::string{"CREATE "} + (unlogged ? "UNLOGGED " : "") + "TABLE " + name + " (" +
           columns + ") USING heap";
}

void describe(const std::string &name, const journal_column_definition &column) {
    execute("COMMENT ON COLUMN " + name + "." + column.name + " IS " + literal(column.comment));
}

void describe(const std::string &name, Relation table) {
    execute("COMMENT ON TABLE " + name + " IS " +
            literal("Journal of lockstep transfers on " + qualified_name(table)));
    for (const journal_column_definition &one : journal_definition)
        describe(name, one);
}

// Default privileges may have given others rights on the new table and its sequence.
void take_rights_away(Oid relation, const std::string &kind, const std::string &name) {
    const std::string oid = std::to_string(relation);
    const uint64 grantees =
        execute("SELECT DISTINCT g.grantee FROM pg_catalog.pg_class AS c, "
                "LATERAL pg_catalog.aclexplode(c.relacl) AS g WHERE c.oid OPERATOR(pg_catalog.=) " +
                oid + " AND g.grantee OPERATOR(pg_catalog.<>) c.relowner");
    std::string others = "PUBLIC";
    for (uint64 i = 0; i < grantees; ++i)
        if (const auto grantee = cell(i, 1); grantee && DatumGetObjectId(*grantee) != InvalidOid)
            others += ", " + role_name(DatumGetObjectId(*grantee));
    execute("REVOKE ALL ON " + kind + " " + name + " FROM " + others);
}

void guard(const std::string &name) {
    execute("CREATE OR REPLACE TRIGGER lockstep_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE"
            " ON " +
            name + " FOR EACH STATEMENT EXECUTE FUNCTION lockstep.journal_guard()");
    execute("CREATE OR REPLACE TRIGGER lockstep_guard_rows BEFORE INSERT OR UPDATE OR DELETE ON " +
            name + " FOR EACH ROW EXECUTE FUNCTION lockstep.journal_guard()");
}

bool is_guarded(Relation journal) {
    int guards = 0;
    const TriggerDesc *triggers = journal->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
        const Trigger &one = triggers->triggers[i];
        const std::string_view name{one.tgname};
        if ((name == "lockstep_guard" || name == "lockstep_guard_rows") &&
            TRIGGER_FOR_INSERT(one.tgtype) && one.tgenabled == TRIGGER_FIRES_ON_ORIGIN)
            ++guards;
    }
    return guards == 2;
}

// What is looked at in an open journal, before it is closed again: no DDL works on an open
// relation.
struct journal_facts {
    std::string name; // qualified
    std::string plain;
    std::optional<column> key; // as the journal keeps it
    std::array<bool, journal_column_count> missing;
    Oid from_index;
    Oid to_index;
    char persistence;
    Oid owner;
    bool guarded;
};

std::optional<journal_facts> look_at(Oid oid) {
    // Not against its readers, a dump among them; what has to be changed takes its own lock.
    const Relation journal = open_relation(oid, ShareUpdateExclusiveLock);
    if (journal == nullptr)
        return std::nullopt;
    const auto number = [journal](const char *name) {
        const auto one = find_column(journal, name);
        return one ? one->number : AttrNumber{0};
    };
    const AttrNumber entry = number(name_of(journal_column::entry));
    const char *from_key = name_of(journal_column::from_key);
    const char *to_key = name_of(journal_column::to_key);
    journal_facts facts{qualified_name(journal),
                        shown_name(journal),
                        find_column(journal, from_key),
                        {},
                        index_on(journal, number(from_key), entry),
                        index_on(journal, number(to_key), entry),
                        journal->rd_rel->relpersistence,
                        journal->rd_rel->relowner,
                        is_guarded(journal)};
    for (const journal_column_definition &one : journal_definition)
        facts.missing[position_of(one.column)] = number(one.name) == 0;
    close_relation(journal);
    return facts;
}

journal_facts look_again(Oid oid) {
    auto found = look_at(oid);
    if (!found)
        throw sql_error(state::not_a_ledger, "the journal has gone while it was made ready");
    return std::move(*found);
}

void require_known_version(const std::string &name, int version) {
    if (version > newest_journal_version)
        throw sql_error(state::prerequisite_state,
                        "journal \"" + name + "\" is of version " + std::to_string(version),
                        "This module knows journals up to version " +
                            std::to_string(newest_journal_version) + ".",
                        "A later version of lockstep has made it: install that one.");
}

// A journal of an older version has not all of today's columns: they are added, and the rows that
// are there have no value in them. One of its owner's that has such a name would be read as ours.
// What its own version had and is gone would be lost unnoticed; but for what nothing depends on.
void add_columns(const journal_facts &journal, const column &key, int version) {
    const std::string key_type = key_column_type(key);
    for (const journal_column_definition &one : journal_definition) {
        const bool is_missing = journal.missing[position_of(one.column)];
        if (!is_missing && one.since > version)
            throw sql_error(state::not_a_ledger,
                            "journal \"" + journal.plain + "\" has a column \"" + one.name +
                                "\" of its owner's",
                            "Lockstep needs that name for a column of its own.",
                            "Give the column another name.");
        if (!is_missing || (one.since <= version && one.may_be_changed == changeable::no))
            continue;
        execute("ALTER TABLE " + journal.name + " ADD COLUMN " + column_definition(one, key_type));
        describe(journal.name, one);
    }
}

// With history, the journal has an index by each of its keys, to read one row's past by.
void set_history(const journal_facts &journal, journal_column key, Oid journal_facts::*by_key,
                 bool history) {
    const Oid index = journal.*by_key;
    if (history && !OidIsValid(index))
        execute("CREATE INDEX ON " + journal.name + " (" + name_of(key) + ", " +
                name_of(journal_column::entry) + ")");
    if (!history && OidIsValid(index))
        execute("DROP INDEX " + qualified_name_of(index));
}

// A changed key type: the journal follows by the keys' text, as calls are read.
void follow_key_type(const journal_facts &journal, const column &key) {
    const auto &kept = journal.key;
    if (!kept || (kept->type == key.type && kept->collation == key.collation))
        return;
    const std::string type = key_column_type(key);
    const auto altered = [&](journal_column which) {
        const std::string name = name_of(which);
        return "ALTER COLUMN " + name + " TYPE " + type + " USING " + name +
               "::pg_catalog.text::" + type_name(key.type);
    };
    execute("ALTER TABLE " + journal.name + " " + altered(journal_column::from_key) + ", " +
            altered(journal_column::to_key));
}

// An unlogged journal of a logged ledger would forget its ids in a crash.
void follow_persistence(const journal_facts &journal, char wanted) {
    if (journal.persistence == wanted)
        return;
    execute("ALTER TABLE " + journal.name +
            (wanted == RELPERSISTENCE_UNLOGGED ? " SET UNLOGGED" : " SET LOGGED"));
}

// What has the journal's name.
Oid under_journal_name(Relation table) {
    const std::string plain = journal_name(table);
    const char *wanted = plain.c_str();
    const Oid schema = RelationGetNamespace(table);
    return pg_call([=] { return get_relname_relid(wanted, schema); });
}

// Creates the journal beside the ledger; its OID.
Oid create_journal(Relation table, const column &key) {
    const std::string plain = journal_name(table);
    const Oid schema = RelationGetNamespace(table);
    const std::string name = quoted(pg_call([schema] { return get_namespace_name(schema); })) +
                             "." + quoted(plain.c_str());
    require_journal_name(table);
    execute(create_statement(name, table, key));
    describe(name, table);
    guard(name);
    const Oid created = under_journal_name(table);
    take_rights_away(created, "TABLE", name);
    execute(
        "SELECT s::pg_catalog.regclass::pg_catalog.oid FROM pg_catalog.pg_get_serial_sequence(" +
        literal(name) + ", " + literal(name_of(journal_column::entry)) + ") AS s");
    const Oid sequence = DatumGetObjectId(cell(0, 1).value());
    take_rights_away(sequence, "SEQUENCE", qualified_name_of(sequence));
    return created;
}

} // namespace

std::string journal_name(Relation table) {
    const char *name = RelationGetRelationName(table);
    return copied(pg_call([name] { return makeObjectName(name, nullptr, "journal"); }));
}

void require_journal_name(Relation table) {
    const Oid there = under_journal_name(table);
    if (OidIsValid(there))
        throw sql_error(
            state::duplicate_table,
            "relation \"" + shown_name_of(there, journal_name(table).c_str()) + "\" already exists",
            "The journal of ledger \"" + shown_name(table) + "\" needs this name.",
            "If it is this ledger's own journal, whose registration was lost, take it up with the "
            "argument journal. Whoever renames or drops a journal forgets its request ids: what "
            "was done before is then done again.");
}

Oid prepare_journal(Relation table, const column &key, bool history, kept_journal before) {
    spi_session session;
    Oid oid = before.oid;
    int version = before.version;
    auto journal = OidIsValid(oid) ? look_at(oid) : std::nullopt;
    if (!journal) {
        oid = create_journal(table, key);
        version = newest_journal_version;
        journal = look_again(oid);
    }
    require_known_version(journal->plain, version);
    if (journal->owner != table->rd_rel->relowner)
        throw sql_error(state::not_a_ledger,
                        "journal \"" + journal->plain + "\" belongs to another role",
                        "It belongs to " + role_name(journal->owner) + ", the ledger to " +
                            role_name(table->rd_rel->relowner) + ".",
                        "Change it with ALTER TABLE ... OWNER TO; look at its triggers first.");
    if (!journal->guarded)
        guard(journal->name);
    // Each step is a command, which may run code of others: looked at again after it.
    add_columns(look_again(oid), key, version);
    follow_key_type(look_again(oid), key);
    follow_persistence(look_again(oid), table->rd_rel->relpersistence);
    set_history(look_again(oid), journal_column::from_key, &journal_facts::from_index, history);
    set_history(look_again(oid), journal_column::to_key, &journal_facts::to_index, history);
    session.finish();

    const Relation finished = open_relation(oid, AccessShareLock);
    const journal_layout layout = checked_journal(finished, key, newest_journal_version);
    close_relation(finished);
    bring_sequence_in_line(oid, layout);
    return oid;
}

int version_of(Relation journal) {
    int version = 1;
    for (const journal_column_definition &one : journal_definition)
        if (find_column(journal, one.name))
            version = std::max(version, one.since);
    return version;
}

void drop_journal(Oid journal) {
    spi_session session;
    const Relation table = open_relation(journal, AccessExclusiveLock);
    if (table != nullptr) {
        const std::string name = qualified_name(table);
        close_relation(table);
        execute("DROP TABLE " + name);
    }
    session.finish();
}

journal_layout checked_journal(Relation journal, const column &key, int version) {
    const auto refuse = [journal](const std::string &why) {
        return needs_registration(
            state::not_a_ledger,
            "table \"" + shown_name(journal) + "\" cannot be used as a journal", why,
            "Call lockstep.register_ledger to bring the journal in line.");
    };
    require_known_version(shown_name(journal), version);
    if (journal->rd_rel->relkind != RELKIND_RELATION || journal->rd_rel->relam != HEAP_TABLE_AM_OID)
        throw refuse("It is not an ordinary table.");
    const Oid oid = RelationGetRelid(journal);
    if (pg_call([oid] { return has_superclass(oid); }))
        throw refuse("It inherits from another table, or is a partition of one.");
    // Their rows show in it, and the guard does not see them.
    if (has_children_now(journal))
        throw refuse("Other tables inherit from it.");
    if (is_distributed(oid))
        throw refuse("It is distributed: its rows are kept elsewhere.");
    journal_layout layout{};
    for (const journal_column_definition &wanted : journal_definition) {
        if (wanted.since > version) // what has that name is its owner's
            continue;
        const auto found = find_column(journal, wanted.name);
        const bool is_key = !OidIsValid(wanted.type);
        const Oid type = type_of(wanted, key.type);
        if (found && is_key && found->collation != key.collation)
            throw refuse("Its keys have another collation than the ledger's.");
        if (!found || found->declared_type != type)
            throw refuse("It has no column \"" + std::string{wanted.name} + "\" of type " +
                         shown_type(type) + ".");
        layout.numbers[position_of(wanted.column)] = found->number;
    }
    const AttrNumber entry = layout.number_of(journal_column::entry);
    layout.entry_sequence = pg_call([=] { return version::identity_sequence(journal, entry); });
    if (!OidIsValid(layout.entry_sequence))
        throw refuse("Its column \"entry\" is no identity column.");
    layout.unique_index = unique_index_on(journal, layout.number_of(journal_column::request_id));
    if (!OidIsValid(layout.unique_index))
        throw refuse("It has no unique index on request_id.");
    return layout;
}

} // namespace lockstep
