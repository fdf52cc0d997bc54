#include "ledger/registering.hpp"

#include "core/sql_error.hpp"
#include "ledger/agreement.hpp"
#include "ledger/distribution.hpp"
#include "ledger/journal_table.hpp"
#include "ledger/key_row_type.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/catalog.hpp"
#include "pg/role.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

namespace {

// The caller's own table, locked against transfers and against another registration, but not
// against readers. Whose it is, is asked before the lock is: a lock that nobody may have would stop
// others.
Relation locked_table(Oid oid) {
    const auto owned = [oid] {
        return pg_call([oid] { return version::owns_relation(oid, GetUserId()); });
    };
    const auto refuse = [oid]() -> sql_error {
        const char *name = pg_call([oid] { return get_rel_name(oid); });
        return {state::insufficient_privilege,
                std::string{"must be owner of table "} + (name != nullptr ? name : "")};
    };
    if (relation_exists(oid) && !owned())
        throw refuse();
    const Relation relation = open_relation(oid, ShareRowExclusiveLock);
    if (relation == nullptr)
        throw sql_error(state::not_a_ledger,
                        "relation with OID " + std::to_string(oid) + " does not exist");
    if (!owned())
        throw refuse();
    return relation;
}

void choose_key(Relation table, std::vector<registered_column> &key) {
    if (!key.empty())
        return;
    for (const column &one : primary_key_columns(table)) {
        registered_column found{};
        std::memcpy(found.name, one.name, NAMEDATALEN);
        key.push_back(found);
    }
    if (key.empty())
        throw sql_error(state::not_a_ledger,
                        "table \"" + shown_name(table) + "\" has no primary key", {},
                        "Name the key column in the argument key, or its columns in key_columns.");
}

void remember(registered_column &kept, const column &found) {
    std::memcpy(kept.name, found.name, NAMEDATALEN);
    kept.position = found.number;
}

void remember(registered_column &kept, const std::optional<column> &found) {
    if (found)
        remember(kept, *found);
}

// A movement that is in progress, whose trigger this is, goes by what is registered.
void require_idle(Relation table) {
    if (ledger_cache::is_in_use(RelationGetRelid(table)))
        throw sql_error(state::object_in_use,
                        "ledger \"" + shown_name(table) + "\" is in use by a movement",
                        "The movement is one of this session, and has run this code.");
}

constexpr char for_lost_registrations[] =
    "The argument journal takes up the journal of a ledger whose registration is lost, with the "
    "key and the amount that it had.";

void require_journal(Relation journal, const ledger_columns &columns, int version) {
    try {
        static_cast<void>(checked_journal(journal, key_as_one(journal, columns.key), version));
    } catch (const sql_error &error) {
        throw sql_error(error.sqlstate(), error.what(), error.detail(), for_lost_registrations);
    }
}

// What the registration was, where the caller names the journal that is left of it: as now, and of
// the version whose columns the journal has.
registration lost_registration(const registration &wanted, const ledger_columns &columns,
                               const std::optional<registration> &before) {
    const auto refuse = [&](const char *why, Oid other) {
        const char *name = pg_call([other] { return get_rel_name(other); });
        return sql_error(state::invalid_parameter_value,
                         std::string{why} + " \"" + (name != nullptr ? name : "") + "\"", {},
                         for_lost_registrations);
    };
    if (before && relation_exists(before->journal))
        throw refuse("the ledger has another journal:", before->journal);
    if (wanted.journal == wanted.ledger)
        throw refuse("the ledger cannot be its own journal:", wanted.journal);
    const Relation journal = locked_table(wanted.journal);
    if (const Oid other = ledger_of_journal(wanted.journal); OidIsValid(other))
        throw refuse("the journal is the one of ledger", other);
    registration lost = wanted;
    lost.journal_version = version_of(journal);
    require_journal(journal, columns, lost.journal_version);
    close_relation(journal);
    return lost;
}

// Lets every session notice, this one in the same statement too.
void announce(Relation table) {
    pg_call([table] {
        CacheInvalidateRelcache(table);
        relation_close(table, NoLock);
        CommandCounterIncrement();
    });
}

// The table is the caller's own, and locked.
Oid register_locked(Relation table, registration wanted) {
    require_idle(table);
    check_table_kind(table);
    if (is_worker_node())
        throw sql_error(state::feature_not_supported,
                        "ledgers cannot be registered on a worker node",
                        "This server is a worker node of a cluster of distributed tables.",
                        "Register and use the ledger on the coordinator.");
    if (is_journal(wanted.ledger))
        throw sql_error(state::not_a_ledger,
                        "table \"" + shown_name(table) + "\" is the journal of a ledger");
    choose_key(table, wanted.key);
    const ledger_columns columns = checked_columns(table, wanted);
    for (const column &one : columns.key)
        static_cast<void>(key_type_of(one)); // it has an order, or this says so
    if (wanted.floor && wanted.ceiling && *wanted.floor > *wanted.ceiling)
        throw sql_error(state::invalid_parameter_value, "floor is above ceiling",
                        "The floor is " + wanted.floor->shown() + ", the ceiling " +
                            wanted.ceiling->shown() + ".");

    for (std::size_t i = 0; i < columns.key.size(); ++i)
        remember(wanted.key[i], columns.key[i]);
    remember(wanted.amount, columns.amount);
    remember(wanted.floor_column, columns.floor);
    remember(wanted.ceiling_column, columns.ceiling);
    remember(wanted.version_column, columns.version);
    remember(wanted.frozen_column, columns.frozen);
    for (std::size_t i = 0; i < columns.match.size(); ++i)
        remember(wanted.match[i], columns.match[i]);
    wanted.active = true;
    auto before = find_registration(wanted.ledger);
    const bool takes_up =
        OidIsValid(wanted.journal) && (!before || before->journal != wanted.journal);
    if (takes_up)
        before = lost_registration(wanted, columns, before);
    {
        as_role owner{table->rd_rel->relowner};
        if (takes_up)
            require_journal_of(table, columns, wanted.journal);
        else if (!before || !relation_exists(before->journal))
            require_journal_name(table); // before the key's type is missed, which goes with it
        else if (before)
            require_agreement(table, columns, *before);
        const prepared_key key = prepare_key(table, columns.key, before);
        wanted.journal = prepare_journal(
            table, key.one, wanted.history,
            before ? kept_journal{before->journal, before->journal_version} : kept_journal{});
        wanted.journal_version = newest_journal_version;
        drop_key_type(key.outdated);
        owner.leave();
    }
    {
        as_role owner{registration_owner()};
        save_registration(wanted);
        owner.leave();
    }
    announce(table);
    return wanted.journal;
}

} // namespace

Oid register_table(const registration &wanted) {
    const Relation table = locked_table(wanted.ledger);
    try {
        return register_locked(table, wanted);
    } catch (const needs_registration &error) {
        throw sql_error(error.sqlstate(), error.what(), error.detail());
    }
}

void unregister_table(Oid oid, bool with_journal) {
    const Relation table = locked_table(oid);
    require_idle(table);
    registration found = registration_of_ledger(table);
    if (with_journal) { // with the caller's own rights
        const Oid key = key_row_type_of(found);
        drop_journal(found.journal);
        drop_key_type(key);
    }
    {
        as_role owner{registration_owner()};
        found.active = false;
        if (with_journal)
            delete_registration(oid);
        else
            save_registration(found);
        owner.leave();
    }
    announce(table);
}

} // namespace lockstep
