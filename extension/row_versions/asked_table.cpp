#include "row_versions/asked_table.hpp"

#include "core/sql_error.hpp"
#include "ledger/registration.hpp"
#include "pg/types_in_use.hpp"
#include "row_versions/search.hpp"

#include <algorithm>

namespace lockstep {

namespace {

std::string named(Oid table) {
    return "table \"" + shown_name_of(table, "?") + '"';
}

// All that a SELECT of whole rows is asked for, and none hidden: dead versions have no policy.
void check_rights_to_see(Oid table) {
    if (!relation_exists(table))
        throw sql_error(state::undefined_table,
                        "relation with OID " + std::to_string(table) + " does not exist");
    require_schema_usage(table);
    if (!pg_call(
            [table] { return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK; }))
        throw sql_error(state::insufficient_privilege,
                        "permission denied for table " + shown_name_of(table, "?"), {},
                        "It takes the right to SELECT from the whole table.");
    if (pg_call([table] { return check_enable_rls(table, InvalidOid, true); }) == RLS_ENABLED)
        throw sql_error(state::insufficient_privilege,
                        "row security hides rows of " + named(table) + " from the caller", {},
                        "Its owner, or a role that bypasses row security, may look.");
}

// The relation, unless it is gone or not to be had at once.
Relation open_unless_gone(Oid oid, const std::string &what) {
    Relation opened = open_if_free(oid, AccessShareLock);
    if (opened == nullptr && relation_exists(oid))
        throw sql_error(state::lock_not_available, what + " is locked against reading", {},
                        "This function does not wait: try again when the lock is gone.");
    return opened;
}

void require_heap(Relation member) {
    const Oid oid = RelationGetRelid(member);
    if (member->rd_rel->relam != HEAP_TABLE_AM_OID)
        throw sql_error(state::feature_not_supported,
                        named(oid) + " is not of the access method heap",
                        "Others keep versions of rows in their own ways.");
    if (RELATION_IS_OTHER_TEMP(member))
        throw sql_error(state::feature_not_supported,
                        named(oid) + " is a temporary table of another session",
                        "Its rows are in the memory of that session.");
    if (pg_call([] { return RecoveryInProgress(); }) &&
        member->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
        throw sql_error(state::feature_not_supported, named(oid) + " has no rows during recovery",
                        "Temporary and unlogged tables are not replicated.");
}

Relation open_asked(Oid table) {
    check_rights_to_see(table);
    Relation opened = open_unless_gone(table, named(table));
    if (opened == nullptr)
        throw sql_error(state::undefined_table,
                        "relation with OID " + std::to_string(table) + " does not exist");
    const char kind = opened->rd_rel->relkind;
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_MATVIEW)
        throw sql_error(state::wrong_object_type,
                        "\"" + shown_name(opened) + "\" is not a table with rows of its own",
                        "Only tables, partitioned tables and materialized views are.");
    if (kind != RELKIND_PARTITIONED_TABLE)
        require_heap(opened);
    return opened;
}

std::vector<column> registered_columns(Relation table) {
    std::vector<column> columns;
    const auto registered = find_registration(RelationGetRelid(table));
    if (registered && registered->active && !registered->disputed)
        for (const registered_column &one : registered->key)
            if (const auto found = find_column(table, one.name, one.position))
                columns.push_back(*found);
    if (registered && columns.size() != registered->key.size())
        columns.clear();
    return columns;
}

std::vector<column> key_columns_of(Relation table, std::span<const std::string> names) {
    std::vector<column> columns =
        names.empty() ? registered_columns(table) : named_columns(table, names);
    return columns.empty() ? primary_key_columns(table) : columns;
}

} // namespace

asked_table::asked_table(Oid table, std::span<const std::string> key_columns)
    : relation_(open_asked(table)), columns_(key_columns_of(relation_, key_columns)) {
    table_ = describe_by_key(relation_, columns_,
                             "Name the columns of another unique index as key_columns.");
}

Datum asked_table::key_from(Datum given, Oid type) const {
    List *const held = hold_keys(nullptr, {&given, 1}, type);
    const Datum key = lockstep::key_from(given, type, "key", table_->key);
    pg_call([held] { release_types(held); });
    return key;
}

void asked_table::add_versions_in(Relation member, Datum key, Snapshot snapshot,
                                  std::vector<found_version> &to) const {
    require_heap(member);
    search_place place{member, nullptr, {}, {}};
    std::size_t count = 0;
    // A partition has the columns in an order of its own.
    for (const column &one : columns_)
        if (const auto found = find_column(member, one.name))
            place.columns[count++] = found->number;
    const std::span numbers{place.columns, count};
    const Oid index = unique_index_on(member, numbers);
    if (count < columns_.size() || !OidIsValid(index))
        throw sql_error(state::invalid_column_reference,
                        named(RelationGetRelid(member)) +
                            " has no unique index on just the key columns");
    places_in_index(index, numbers, place.places);
    place.index = open_unless_gone(index, "an index of " + named(RelationGetRelid(member)));
    if (place.index == nullptr)
        return;
    const auto found =
        versions_at(place, table_->key, key, static_cast<int>(columns_.size()), snapshot);
    to.insert(to.end(), found.begin(), found.end());
    close_relation(place.index, AccessShareLock);
}

std::vector<found_version> asked_table::versions_of(Datum key, Snapshot snapshot) const {
    std::vector<found_version> versions;
    if (relation_->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) {
        add_versions_in(relation_, key, snapshot, versions);
        return versions;
    }
    for (int i = 0; i < table_->family.count; ++i) {
        check_interrupts();
        const Oid oid = table_->family.members[i];
        if (oid == table_->table)
            continue;
        Relation member = open_unless_gone(oid, named(oid));
        if (member == nullptr)
            continue;
        if (RELKIND_HAS_STORAGE(member->rd_rel->relkind))
            add_versions_in(member, key, snapshot, versions);
        close_relation(member, AccessShareLock);
    }
    return versions;
}

void asked_table::close() {
    close_relation(relation_, AccessShareLock);
}

} // namespace lockstep
