#include "store/registering.hpp"

#include "core/sql_error.hpp"
#include "pg/catalog.hpp"
#include "pg/role.hpp"
#include "store/journal_table.hpp"
#include "store/ledger.hpp"

#include <cstring>
#include <string>

namespace lockstep {

namespace {

// Locked against transfers and against another registration, but not against readers.
Relation locked_table(Oid table) {
    const Relation relation = open_relation(table, ShareRowExclusiveLock);
    if (relation == nullptr)
        throw sql_error(state::not_a_ledger,
                        "relation with OID " + std::to_string(table) + " does not exist");
    return relation;
}

void check_owner(Relation table) {
    const Oid oid = RelationGetRelid(table);
    if (!pg_call([oid] { return version::owns_relation(oid, GetUserId()); }))
        throw sql_error(state::insufficient_privilege,
                        "must be owner of table " + plain_name(table));
}

void check_may_create(Relation table) {
    const Oid schema = RelationGetNamespace(table);
    const auto result =
        pg_call([schema] { return version::check_schema_right(schema, GetUserId(), ACL_CREATE); });
    if (result == ACLCHECK_OK)
        return;
    const char *name = pg_call([schema] { return get_namespace_name(schema); });
    throw sql_error(state::insufficient_privilege,
                    std::string{"permission denied for schema "} + name,
                    "The journal is made in the schema of the ledger.");
}

void choose_key(Relation table, registered_column &key) {
    if (key.exists())
        return;
    const auto found = primary_key_column(table);
    if (!found)
        throw sql_error(state::not_a_ledger,
                        "table \"" + plain_name(table) + "\" has no primary key of one column", {},
                        "Name the key column in the argument key.");
    std::memcpy(key.name, found->name, NAMEDATALEN);
}

void remember(registered_column &kept, const column &found) {
    std::memcpy(kept.name, found.name, NAMEDATALEN);
    kept.position = found.number;
}

void remember(registered_column &kept, const std::optional<column> &found) {
    if (found)
        remember(kept, *found);
}

} // namespace

Oid register_table(registration wanted) {
    const Relation table = locked_table(wanted.ledger);
    check_owner(table);
    check_may_create(table);
    check_table_kind(table);
    if (is_journal(wanted.ledger))
        throw sql_error(state::not_a_ledger,
                        "table \"" + plain_name(table) + "\" is the journal of a ledger");
    choose_key(table, wanted.key);
    const ledger_columns columns = checked_columns(table, wanted);
    static_cast<void>(key_type_of(columns.key)); // it has an order, or this says so
    if (wanted.floor && wanted.ceiling && *wanted.floor > *wanted.ceiling)
        throw sql_error(state::invalid_parameter_value, "floor is above ceiling",
                        "The floor is " + wanted.floor->to_string() + ", the ceiling " +
                            wanted.ceiling->to_string() + ".");

    remember(wanted.key, columns.key);
    remember(wanted.amount, columns.amount);
    remember(wanted.floor_column, columns.floor);
    remember(wanted.ceiling_column, columns.ceiling);
    remember(wanted.version_column, columns.version);
    remember(wanted.frozen_column, columns.frozen);
    wanted.active = true;
    const auto before = find_registration(wanted.ledger);
    {
        const as_role owner{registration_owner()};
        wanted.journal = prepare_journal(table, columns.key, wanted.history,
                                         before ? before->journal : InvalidOid);
        save_registration(wanted);
    }
    pg_call([table] { CacheInvalidateRelcache(table); });
    close_relation(table);
    return wanted.journal;
}

void unregister_table(Oid oid, bool with_journal) {
    const Relation table = locked_table(oid);
    check_owner(table);
    registration found = registration_of_ledger(table);
    {
        const as_role owner{registration_owner()};
        if (with_journal) {
            delete_registration(oid);
            drop_journal(found.journal);
        } else {
            found.active = false;
            save_registration(found);
        }
    }
    pg_call([table] { CacheInvalidateRelcache(table); });
    close_relation(table);
}

} // namespace lockstep
