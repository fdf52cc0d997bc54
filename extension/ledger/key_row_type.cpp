#include "ledger/key_row_type.hpp"

#include "core/sql_error.hpp"
#include "ledger/journal_definition.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace lockstep {

namespace {

// A column of a row type.
struct field {
    char name[NAMEDATALEN];
    Oid type;
    int32 typmod;
    Oid collation;
};

// The columns of a row type that was made by CREATE TYPE; none where the type is another. Nothing
// is opened for it.
std::vector<field> fields_of(Oid type) {
    const Oid relation = pg_call([type] {
        const Oid found = get_typ_typrelid(type);
        return OidIsValid(found) && get_rel_relkind(found) == RELKIND_COMPOSITE_TYPE ? found
                                                                                     : InvalidOid;
    });
    std::vector<field> fields;
    while (OidIsValid(relation)) {
        const auto number = static_cast<AttrNumber>(fields.size() + 1);
        field one{};
        field *const to = &one;
        const bool found = pg_call([=] {
            HeapTuple tuple =
                SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(number));
            if (!HeapTupleIsValid(tuple))
                return false;
            const auto *form = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
            strlcpy(to->name, NameStr(form->attname), NAMEDATALEN);
            to->type = form->attisdropped ? InvalidOid : form->atttypid;
            to->typmod = form->atttypmod;
            to->collation = form->attcollation;
            ReleaseSysCache(tuple);
            return true;
        });
        if (!found)
            break;
        fields.push_back(one);
    }
    return fields;
}

// A length or a precision would make another key of one that does not keep to it.
bool fits(const std::vector<field> &fields, std::span<const column> key) {
    return std::ranges::equal(fields, key, [](const field &one, const column &wanted) {
        return one.type == wanted.type && one.typmod == -1 && one.collation == wanted.collation;
    });
}

bool has_names(const std::vector<field> &fields, std::span<const column> key) {
    return std::ranges::equal(fields, key, [](const field &one, const column &wanted) {
        return std::strcmp(one.name, wanted.name) == 0;
    });
}

column as_one(Oid type) {
    column one{};
    one.declared_type = type;
    one.type = type;
    one.typmod = -1;
    return one;
}

std::string plain_type_name(Oid type) {
    return copied(pg_call([type]() -> const char * {
        HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
        if (!HeapTupleIsValid(tuple))
            return nullptr;
        const char *name =
            pstrdup(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname));
        ReleaseSysCache(tuple);
        return name;
    }));
}

// <ledger>_key, or <ledger>_key_old for one that is being replaced.
std::string type_name_for(Relation table, const char *label) {
    const char *name = RelationGetRelationName(table);
    return copied(pg_call([=] { return makeObjectName(name, nullptr, label); }));
}

Oid type_in_schema(const std::string &name, Oid schema) {
    const char *wanted = name.c_str();
    return pg_call([=] {
        return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(wanted),
                               ObjectIdGetDatum(schema));
    });
}

// Whether the type, or its array, is part of anything else.
bool is_used(Oid type) {
    const Oid array = pg_call([type] { return get_array_type(type); });
    return query("SELECT FROM pg_catalog.pg_depend AS d WHERE d.refclassid OPERATOR(pg_catalog.=) "
                 "'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype "
                 "OPERATOR(pg_catalog.=) 'n' AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[" +
                 std::to_string(type) + ", " + std::to_string(array) +
                 "]::pg_catalog.oid[]) LIMIT 1") > 0;
}

bool is_owned(Oid type, Oid owner) {
    return pg_call([=] {
        HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
        if (!HeapTupleIsValid(tuple))
            return false;
        const bool owned = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typowner == owner;
        ReleaseSysCache(tuple);
        return owned;
    });
}

std::string definition_of(std::span<const column> key) {
    std::string list;
    for (const column &one : key) {
        list += (list.empty() ? "" : ", ") + quoted(one.name) + " " + type_name(one.type);
        if (OidIsValid(one.collation))
            list += " COLLATE " + collation_name(one.collation);
    }
    return list;
}

// A type of the name that a journal which is gone has left, or a new one. One with other names in
// it is somebody's own.
Oid create_type(Relation table, std::span<const column> key) {
    const std::string plain = type_name_for(table, "key");
    const Oid schema = RelationGetNamespace(table);
    const char *wanted = plain.c_str();
    const Oid there = type_in_schema(plain, schema);
    if (OidIsValid(there)) {
        const std::vector<field> fields = fields_of(there);
        if (fits(fields, key) && has_names(fields, key) &&
            is_owned(there, table->rd_rel->relowner) && !is_used(there))
            return there;
    }
    if (OidIsValid(there) || OidIsValid(pg_call([=] { return get_relname_relid(wanted, schema); })))
        throw sql_error(state::duplicate_object, "type \"" + plain + "\" already exists",
                        "The key of ledger \"" + shown_name(table) + "\" needs this name.",
                        "Rename what has it, or drop it.");
    const std::string name =
        quoted(pg_call([schema] { return get_namespace_name(schema); })) + "." + quoted(wanted);
    execute("CREATE TYPE " + name + " AS (" + definition_of(key) + ")");
    execute("COMMENT ON TYPE " + name + " IS " +
            literal("Key of lockstep transfers on " + qualified_name(table)));
    return type_in_schema(plain, schema);
}

// Columns that were renamed are so in the type too. In two steps, for names may have changed
// places.
void follow_names(Oid type, std::span<const column> key) {
    const std::vector<field> fields = fields_of(type);
    const auto rename = [type](const std::string &from, const std::string &to) {
        execute("ALTER TYPE " + type_name(type) + " RENAME ATTRIBUTE " + quoted(from.c_str()) +
                " TO " + quoted(to.c_str()));
    };
    const auto differs = [&](std::size_t i) {
        return std::strcmp(fields[i].name, key[i].name) != 0;
    };
    const auto passing = [](std::size_t i) { return "........" + std::to_string(i) + "........"; };
    for (std::size_t i = 0; i < key.size(); ++i)
        if (differs(i))
            rename(fields[i].name, passing(i));
    for (std::size_t i = 0; i < key.size(); ++i)
        if (differs(i))
            rename(passing(i), key[i].name);
}

// As it is committed now, whatever the transaction's snapshot says, and whatever policies hide.
bool has_rows(Relation journal) {
    if (!RELKIND_HAS_TABLE_AM(journal->rd_rel->relkind))
        return false;
    return pg_call([journal] {
        CommandCounterIncrement(); // what the same statement has booked counts
        Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
        TableScanDesc scan = version::begin_table_scan(journal, latest);
        TupleTableSlot *slot = table_slot_create(journal, nullptr);
        const bool found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
        ExecDropSingleTupleTableSlot(slot);
        table_endscan(scan);
        UnregisterSnapshot(latest);
        return found;
    });
}

template <class Column>
std::string list_of(std::span<const Column> columns) {
    std::string list;
    for (const Column &one : columns)
        list += (list.empty() ? "" : ", ") + std::string{one.name};
    return "(" + list + ")";
}

void require_same_key(Relation table, Relation journal, std::span<const column> key,
                      const registration &before) {
    if ((key.size() == 1 && before.key.size() == 1) || is_same_key(table, before.key, key) ||
        !has_rows(journal))
        return;
    // Where the columns were is not known of another table than the registered one (a restored
    // dump's): one that was renamed cannot be told from another column.
    const bool knows_names_alone = before.key.front().position == 0;
    throw sql_error(
        state::prerequisite_state,
        "journal \"" + shown_name(journal) + "\" has bookings by another key",
        "They are by " + list_of(std::span<const registered_column>{before.key}) +
            ", and the key is to be " + column_list(key) + ".",
        knows_names_alone
            ? "If columns were renamed and the table restored since, give them their "
              "names of then, register the ledger, and rename them again."
            : "Register the key as it was, or keep a copy of the journal and drop it with "
              "lockstep.drop_ledger(..., drop_journal => true) first.");
}

// A row type that was changed by hand would be read as another key: its values go into the new one
// by their text, column by column.
void require_unchanged_type(Relation journal, Oid type, std::span<const column> key,
                            const registration &before) {
    std::vector<field> live = fields_of(type);
    std::erase_if(live, [](const field &one) { return !OidIsValid(one.type); });
    bool same = live.size() == key.size() && live.size() == before.key.size();
    for (std::size_t i = 0; i < live.size() && same; ++i)
        same = std::strcmp(live[i].name, key[i].name) == 0 ||
               std::strcmp(live[i].name, before.key[i].name) == 0;
    if (same || !has_rows(journal))
        return;
    throw sql_error(state::prerequisite_state,
                    "type \"" + plain_type_name(type) +
                        "\" has not the columns of the key any more",
                    "The journal \"" + shown_name(journal) + "\" has keys of this type, by " +
                        list_of(std::span<const registered_column>{before.key}) + ".",
                    "Give its columns their names again, and drop others, with ALTER TYPE.");
}

Oid type_of_keys(Relation journal) {
    const auto found = find_column(journal, name_of(journal_column::from_key));
    return found && !fields_of(found->declared_type).empty() ? found->declared_type : InvalidOid;
}

} // namespace

std::string column_list(std::span<const column> columns) {
    return list_of(columns);
}

bool is_same_column(Relation table, const registered_column &then, const column &now) {
    const auto there = find_column(table, "", then.position);
    return there ? there->number == now.number : std::strcmp(then.name, now.name) == 0;
}

bool is_same_key(Relation table, std::span<const registered_column> before,
                 std::span<const column> key) {
    return std::ranges::equal(before, key,
                              [table](const registered_column &then, const column &now) {
                                  return is_same_column(table, then, now);
                              });
}

std::optional<column> find_key_as_one(Relation journal, std::span<const column> key) {
    if (key.size() == 1)
        return key.front();
    const auto kept = find_column(journal, name_of(journal_column::from_key));
    if (!kept || !fits(fields_of(kept->declared_type), key))
        return std::nullopt;
    return as_one(kept->declared_type);
}

column key_as_one(Relation journal, std::span<const column> key) {
    const auto one = find_key_as_one(journal, key);
    if (!one)
        throw sql_error(state::not_a_ledger,
                        "table \"" + shown_name(journal) + "\" cannot be used as a journal",
                        "It has no column \"from_key\" of a row type with the key's columns " +
                            column_list(key) + ".",
                        "Call lockstep.register_ledger to bring the journal in line.");
    return *one;
}

prepared_key prepare_key(Relation table, std::span<const column> key,
                         const std::optional<registration> &before) {
    Oid kept = InvalidOid;
    // Not against its readers, as where the journal is made ready.
    const Relation journal =
        before ? open_relation(before->journal, ShareUpdateExclusiveLock) : nullptr;
    if (journal != nullptr) {
        require_same_key(table, journal, key, *before);
        if (before->key.size() > 1)
            kept = type_of_keys(journal);
        if (OidIsValid(kept) && !fits(fields_of(kept), key))
            require_unchanged_type(journal, kept, key, *before);
        close_relation(journal);
    }
    if (key.size() == 1)
        return {key.front(), kept};

    spi_session session;
    prepared_key prepared{as_one(kept), InvalidOid};
    if (OidIsValid(kept) && fits(fields_of(kept), key)) {
        follow_names(kept, key);
    } else {
        const std::string name = type_name_for(table, "key");
        if (OidIsValid(kept) && type_in_schema(name, RelationGetNamespace(table)) == kept)
            execute("ALTER TYPE " + type_name(kept) + " RENAME TO " +
                    quoted(type_name_for(table, "key_old").c_str()));
        prepared = {as_one(create_type(table, key)), kept};
    }
    session.finish();
    return prepared;
}

Oid key_row_type_of(const registration &row) {
    const Relation journal =
        row.key.size() > 1 ? open_relation(row.journal, AccessShareLock) : nullptr;
    if (journal == nullptr)
        return InvalidOid;
    const Oid type = type_of_keys(journal);
    close_relation(journal);
    return type;
}

void drop_key_type(Oid type) {
    if (plain_type_name(type).empty())
        return;
    spi_session session;
    execute("DROP TYPE " + type_name(type));
    session.finish();
}

} // namespace lockstep
