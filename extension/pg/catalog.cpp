#include "pg/catalog.hpp"

#include "core/sql_error.hpp"
#include "pg/role.hpp"
#include "pg/values.hpp"

#include <array>
#include <cstring>

namespace lockstep {

namespace {

column described(Form_pg_attribute attribute) {
    column one{};
    std::memcpy(one.name, NameStr(attribute->attname), NAMEDATALEN);
    one.number = attribute->attnum;
    one.declared_type = attribute->atttypid;
    one.typmod = attribute->atttypmod;
    one.collation = attribute->attcollation;
    one.is_generated =
        attribute->attgenerated != '\0' || attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS;
    int32 typmod = attribute->atttypmod;
    const Oid declared = attribute->atttypid;
    one.type = pg_call([&typmod, declared] { return getBaseTypeAndTypmod(declared, &typmod); });
    one.typmod = typmod;
    return one;
}

// The first of the relation's indexes that the test, which is C, says yes to.
template <class Test>
Oid find_index(Relation relation, Test test) {
    return pg_call([=] {
        Oid found = InvalidOid;
        List *indexes = RelationGetIndexList(relation);
        ListCell *cell = nullptr;
        foreach (cell, indexes) {
            HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
            if (!HeapTupleIsValid(tuple))
                continue;
            auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
            if (test(tuple, index))
                found = index->indexrelid;
            ReleaseSysCache(tuple);
            if (OidIsValid(found))
                break;
        }
        list_free(indexes);
        return found;
    });
}

// Whether the index's key columns are these, each once.
bool is_on(Form_pg_index index, const AttrNumber *numbers, int count, bool in_order) {
    if (index->indnkeyatts != count)
        return false;
    for (int i = 0; i < count; ++i) {
        bool found = false;
        for (int j = 0; j < count; ++j)
            found = found || (index->indkey.values[j] == numbers[i] && (!in_order || i == j));
        if (!found)
            return false;
    }
    return true;
}

} // namespace

bool relation_exists(Oid relation) {
    return pg_call([relation] { return get_rel_relkind(relation); }) != '\0';
}

Relation open_relation(Oid relation, LOCKMODE lock) {
    return pg_call([=] { return try_relation_open(relation, lock); });
}

inline namespace guarded {

Relation open_if_free_in_guard(Oid relation, LOCKMODE lock) {
    if (!version::lock_relation_if_free(relation, lock))
        return nullptr;
    Relation opened = try_relation_open(relation, NoLock);
    if (opened == nullptr)
        UnlockRelationOid(relation, lock);
    return opened;
}

} // namespace guarded

Relation open_if_free(Oid relation, LOCKMODE lock) {
    return pg_call([=] { return open_if_free_in_guard(relation, lock); });
}

void close_relation(Relation relation, LOCKMODE unlock) {
    pg_call([=] { relation_close(relation, unlock); });
}

void require_schema_usage(Oid relation) {
    const Oid schema = pg_call([relation] { return get_rel_namespace(relation); });
    if (pg_call([schema] {
            return version::check_schema_right(schema, GetUserId(), ACL_USAGE) != ACLCHECK_OK;
        }))
        throw sql_error(state::insufficient_privilege,
                        "permission denied for schema " +
                            copied(pg_call([schema] { return get_namespace_name(schema); })));
}

std::optional<column> find_column(Relation relation, const char *name, AttrNumber position) {
    const TupleDesc columns = RelationGetDescr(relation);
    for (int i = 0; i < columns->natts; ++i) {
        const Form_pg_attribute one = TupleDescAttr(columns, i);
        if (!one->attisdropped && std::strcmp(NameStr(one->attname), name) == 0)
            return described(one);
    }
    if (position >= 1 && position <= columns->natts) {
        const Form_pg_attribute one = TupleDescAttr(columns, position - 1);
        if (!one->attisdropped)
            return described(one);
    }
    return std::nullopt;
}

std::vector<column> primary_key_columns(Relation relation) {
    const Oid index =
        find_index(relation, [](HeapTuple, Form_pg_index one) { return one->indisprimary; });
    std::array<AttrNumber, INDEX_MAX_KEYS> numbers{};
    AttrNumber *const to = numbers.data();
    const int count = pg_call([=] {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
        if (!HeapTupleIsValid(tuple))
            return 0;
        auto *form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
        for (int i = 0; i < form->indnkeyatts; ++i)
            to[i] = form->indkey.values[i];
        const int found = form->indnkeyatts;
        ReleaseSysCache(tuple);
        return found;
    });
    std::vector<column> columns;
    columns.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        columns.push_back(described(
            TupleDescAttr(RelationGetDescr(relation), numbers[static_cast<std::size_t>(i)] - 1)));
    return columns;
}

Oid unique_index_on(Relation relation, AttrNumber number) {
    return unique_index_on(relation, {&number, 1});
}

Oid unique_index_on(Relation relation, std::span<const AttrNumber> numbers) {
    const AttrNumber *first = numbers.data();
    const auto count = static_cast<int>(numbers.size());
    for (const bool in_order : {true, false}) {
        const Oid found = find_index(relation, [=](HeapTuple tuple, Form_pg_index index) {
            return index->indisunique && index->indisvalid && index->indimmediate &&
                   is_on(index, first, count, in_order) &&
                   heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
        });
        if (OidIsValid(found))
            return found;
    }
    return InvalidOid;
}

void places_in_index(Oid index, std::span<const AttrNumber> numbers, std::span<int8> places) {
    const AttrNumber *first = numbers.data();
    int8 *const to = places.data();
    const auto count = static_cast<int8>(numbers.size());
    pg_call([=] {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for index %u", index);
        auto *form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
        for (int i = 0; i < count; ++i)
            for (int8 place = 0; place < count; ++place)
                if (form->indkey.values[i] == first[place])
                    to[i] = place;
        ReleaseSysCache(tuple);
    });
}

Oid index_on(Relation relation, AttrNumber first, AttrNumber second) {
    return find_index(relation, [=](HeapTuple, Form_pg_index index) {
        return index->indnatts == 2 && index->indkey.values[0] == first &&
               index->indkey.values[1] == second;
    });
}

relation_family family_of(Relation relation) {
    const Oid oid = RelationGetRelid(relation);
    return pg_call([oid] {
        List *found = find_all_inheritors(oid, NoLock, nullptr);
        relation_family family{static_cast<Oid *>(palloc(sizeof(Oid) * list_length(found))), 0};
        ListCell *cell = nullptr;
        foreach (cell, found)
            family.members[family.count++] = lfirst_oid(cell);
        list_free(found);
        return family;
    });
}

bool has_rules(Relation relation) {
    return relation->rd_rules != nullptr && relation->rd_rules->numLocks > 0;
}

bool has_children_now(Relation relation) {
    if (!relation->rd_rel->relhassubclass)
        return false;
    const Oid oid = RelationGetRelid(relation);
    return pg_call([oid] { return find_inheritance_children(oid, NoLock) != NIL; });
}

std::string qualified_name(Relation relation) {
    return copied(pg_call([relation] {
        return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
                                          RelationGetRelationName(relation));
    }));
}

std::string qualified_name_of(Oid relation) {
    return copied(pg_call([relation] {
        return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
                                          get_rel_name(relation));
    }));
}

inline namespace guarded {

// Whether the caller's search path finds it, also where ours is set just now.
bool is_visible(Oid relation) {
    const own_settings::caller *caller = own_settings::outside();
    if (caller == nullptr)
        return RelationIsVisible(relation);
    Oid role = InvalidOid;
    int security = 0;
    GetUserIdAndSecContext(&role, &security);
    const int level = NewGUCNestLevel();
    set_config_option("search_path", caller->search_path, PGC_USERSET, PGC_S_SESSION,
                      GUC_ACTION_SAVE, true, 0, false);
    SetUserIdAndSecContext(caller->role, caller->security);
    const bool visible = RelationIsVisible(relation);
    SetUserIdAndSecContext(role, security);
    AtEOXact_GUC(false, level);
    return visible;
}

const char *shown_name_in_guard(Oid relation, const char *otherwise) {
    const char *name = get_rel_name(relation);
    if (name == nullptr)
        return otherwise;
    if (is_visible(relation))
        return name;
    const char *schema = get_namespace_name(get_rel_namespace(relation));
    return schema == nullptr ? name : psprintf("%s.%s", schema, name);
}

} // namespace guarded

std::string shown_name(Relation relation) {
    return shown_name_of(RelationGetRelid(relation), RelationGetRelationName(relation));
}

std::string shown_name_of(Oid relation, const char *otherwise) {
    return copied(pg_call([=] { return shown_name_in_guard(relation, otherwise); }));
}

std::string literal(const std::string &text) {
    const char *plain = text.c_str();
    return copied(pg_call([plain] { return quote_literal_cstr(plain); }));
}

std::string quoted(const char *identifier) {
    return copied(pg_call([identifier] { return quote_identifier(identifier); }));
}

std::string type_name(Oid type, int32 typmod) {
    return copied(pg_call([=] {
        return format_type_extended(type, typmod,
                                    FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
    }));
}

std::string shown_type(Oid type) {
    return copied(pg_call([=] { return format_type_be(type); }));
}

std::string operator_name(Oid op) {
    return copied(pg_call([op] {
        HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for operator %u", op);
        const auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
        // Operator names need no quotes; schema names may.
        const char *text =
            psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
                     NameStr(form->oprname));
        ReleaseSysCache(tuple);
        return text;
    }));
}

std::string equality_of(const column &one) {
    const Oid type = one.type;
    const Oid equals =
        pg_call([type] { return lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr; });
    if (!OidIsValid(equals))
        throw sql_error(state::undefined_function, "values of type " + shown_type(type) +
                                                       ", of column \"" + one.name +
                                                       "\", cannot be compared");
    return operator_name(equals);
}

std::string collation_name(Oid collation) {
    return copied(pg_call([=]() -> const char * {
        HeapTuple tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
        if (!HeapTupleIsValid(tuple))
            return "pg_catalog.\"default\"";
        auto *form = reinterpret_cast<Form_pg_collation>(GETSTRUCT(tuple));
        const char *name = quote_qualified_identifier(get_namespace_name(form->collnamespace),
                                                      NameStr(form->collname));
        ReleaseSysCache(tuple);
        return name;
    }));
}

std::string role_name(Oid role) {
    return copied(pg_call([=] { return quote_identifier(GetUserNameFromId(role, false)); }));
}

namespace {

inline namespace guarded {

// By one of the server's functions from a text to an OID or null.
Oid found_by(PGFunction look, const char *name) {
    LOCAL_FCINFO(call, 1);
    InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = PointerGetDatum(cstring_to_text(name));
    call->args[0].isnull = false;
    const Datum found = look(call);
    return call->isnull ? InvalidOid : DatumGetObjectId(found);
}

} // namespace guarded

// As an OID it was one of another database or cluster, where its name was not to be had.
bool is_no_name(const char *text) {
    return text[0] == '-' || strspn(text, "0123456789") == strlen(text);
}

} // namespace

Oid relation_by_name(const char *name) {
    if (is_no_name(name))
        return InvalidOid;
    return pg_call([name] { return found_by(to_regclass, name); });
}

Oid role_by_name(const char *name) {
    if (is_no_name(name))
        return InvalidOid;
    return pg_call([name] { return found_by(to_regrole, name); });
}

Oid registration_table() {
    return pg_call([] {
        const Oid schema = get_namespace_oid("lockstep", false);
        const Oid table = get_relname_relid("registration", schema);
        if (!OidIsValid(table))
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                            errmsg("relation \"lockstep.registration\" does not exist"),
                            errhint("CREATE EXTENSION lockstep makes it.")));
        return table;
    });
}

} // namespace lockstep
