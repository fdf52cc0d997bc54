#include "ledger/choice.hpp"

#include "core/sql_error.hpp"
#include "ledger/distribution.hpp"
#include "ledger/journal_table.hpp"
#include "ledger/key_row_type.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace lockstep {

namespace {

enum wanted_store : int { store_auto, store_heap, store_spi, store_spi_by_key };

int wanted = store_auto;

const config_enum_entry choices[] = {{"auto", store_auto, false},
                                     {"heap", store_heap, false},
                                     {"spi", store_spi, false},
                                     {"spi_by_key", store_spi_by_key, false},
                                     {nullptr, 0, false}};

// What another session may do beside a movement, for its locks do not keep it from that.
constexpr char has_children[] = "other tables inherit from the table";
constexpr char journal_has_indexes[] =
    "its journal has unique indexes, or indexes on expressions, of its own";

inline namespace guarded {

// Whether the constraint behind a trigger of referential integrity is on
// one of the columns that a movement writes. Where it is not, the trigger has nothing to do.
bool guards_written_column(const Trigger &trigger, bool is_referenced, AttrNumber amount,
                           AttrNumber version) {
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(trigger.tgconstraint));
    if (!HeapTupleIsValid(tuple))
        return true;
    bool is_null = false;
    const Datum value = SysCacheGetAttr(
        CONSTROID, tuple, is_referenced ? Anum_pg_constraint_confkey : Anum_pg_constraint_conkey,
        &is_null);
    bool found = is_null;
    if (!is_null) {
        ArrayType *columns = DatumGetArrayTypeP(value);
        const auto *numbers = reinterpret_cast<const int16 *>(ARR_DATA_PTR(columns));
        const int count = ArrayGetNItems(ARR_NDIM(columns), ARR_DIMS(columns));
        for (int i = 0; i < count && !found; ++i)
            found = numbers[i] == amount || (version != 0 && numbers[i] == version);
    }
    ReleaseSysCache(tuple);
    return found;
}

bool has_update_trigger(Relation table, AttrNumber amount, AttrNumber version) {
    const TriggerDesc *triggers = table->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
        const Trigger &one = triggers->triggers[i];
        if (!TRIGGER_FOR_UPDATE(one.tgtype))
            continue;
        const int kind = RI_FKey_trigger_type(one.tgfoid);
        if (kind == RI_TRIGGER_NONE ||
            guards_written_column(one, kind == RI_TRIGGER_PK, amount, version))
            return true;
    }
    return false;
}

bool is_lockstep_guard(Oid function) {
    const char *name = get_func_name(function);
    return name != nullptr && std::strcmp(name, "journal_guard") == 0 &&
           get_func_namespace(function) == get_namespace_oid("lockstep", true);
}

// Lockstep's own guard has nothing against lockstep.
bool has_insert_trigger(Relation journal) {
    const TriggerDesc *triggers = journal->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
        const Trigger &one = triggers->triggers[i];
        if (TRIGGER_FOR_INSERT(one.tgtype) && !is_lockstep_guard(one.tgfoid))
            return true;
    }
    return false;
}

} // namespace guarded

bool has_generated_columns(Relation table) {
    const TupleDesc columns = RelationGetDescr(table);
    for (int i = 0; i < columns->natts; ++i)
        if (TupleDescAttr(columns, i)->attgenerated != '\0')
            return true;
    return false;
}

// Columns that are not as register_ledger makes them: others, such as are never null where ours may
// be, or with a length or a precision, or with a name that only later versions have taken.
bool has_own_columns(Relation journal, int version) {
    const TupleDesc columns = RelationGetDescr(journal);
    for (int i = 0; i < columns->natts; ++i) {
        const Form_pg_attribute one = TupleDescAttr(columns, i);
        if (one->attisdropped)
            continue;
        const std::string_view name{NameStr(one->attname)};
        const auto *const ours =
            std::find_if(journal_definition.begin(), journal_definition.end(),
                         [name, version](const journal_column_definition &made) {
                             return name == made.name && made.since <= version;
                         });
        if (ours == journal_definition.end() || one->atttypmod >= 0 ||
            (one->attnotnull && ours->when == filled::sometimes))
            return true;
    }
    return false;
}

inline namespace guarded {

// An index on an expression, or with a condition, runs code of the
// journal's owner; that is for a statement to do, with the owner's rights. Nothing is made of the
// expressions here: even to simplify one is to run it. And only one index can say whether an id is
// booked.
bool has_own_indexes(Relation journal) {
    List *indexes = RelationGetIndexList(journal);
    ListCell *cell = nullptr;
    bool found = false;
    int unique = 0;
    foreach (cell, indexes) {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
        if (!HeapTupleIsValid(tuple))
            continue;
        const auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
        found = found || index->indisexclusion ||
                !heap_attisnull(tuple, Anum_pg_index_indexprs, nullptr) ||
                !heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
        unique += index->indisunique ? 1 : 0;
        ReleaseSysCache(tuple);
    }
    list_free(indexes);
    return found || unique != 1;
}

// The index's own order must be the order of the keys. The index is not
// opened for that: whoever only looks must not wait for what makes it anew.
bool orders_by(Oid index, const column *key, int count) {
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple))
        return false;
    bool is_null = false;
    const Datum collations =
        SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indcollation, &is_null);
    const auto *form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    bool same = !is_null;
    for (int i = 0; i < count && same; ++i)
        same = form->indkey.values[i] == key[i].number &&
               reinterpret_cast<const oidvector *>(DatumGetPointer(collations))->values[i] ==
                   key[i].collation;
    ReleaseSysCache(tuple);
    for (int i = 0; i < count && same; ++i) {
        const TypeCacheEntry *entry = lookup_type_cache(key[i].type, TYPECACHE_BTREE_OPFAMILY);
        const Oid opclass = get_index_column_opclass(index, i + 1);
        // A family is of one access method.
        same = OidIsValid(opclass) && OidIsValid(entry->btree_opf) &&
               get_opclass_family(opclass) == entry->btree_opf;
    }
    return same;
}

// What is found here need not be the same for two sessions. The expressions are only read.
bool has_changing_check(Relation table) {
    const TupleConstr *constraints = RelationGetDescr(table)->constr;
    for (int i = 0; constraints != nullptr && i < constraints->num_check; ++i)
        if (contain_mutable_functions(
                static_cast<Node *>(stringToNode(constraints->check[i].ccbin))))
            return true;
    return false;
}

} // namespace guarded
} // namespace

void install_store_setting() {
    DefineCustomEnumVariable("lockstep.store", "How the rows of ledgers are read and written.",
                             "auto chooses by the table and the isolation level; heap, spi and "
                             "spi_by_key (one key a statement) force one, for tests.",
                             &wanted, store_auto, choices, PGC_USERSET, 0, nullptr, nullptr,
                             nullptr);
}

const char *why_not_heap_journal(Relation journal, int journal_version) {
    if (pg_call([journal] { return has_insert_trigger(journal); }))
        return "its journal has triggers of its own";
    if (journal->rd_rel->relrowsecurity)
        return "its journal has row security";
    if (has_rules(journal))
        return "its journal has rewrite rules";
    if (has_own_columns(journal, journal_version))
        return "its journal has columns of its own, or changed ones";
    const TupleConstr *constraints = RelationGetDescr(journal)->constr;
    if (constraints != nullptr && constraints->num_check > 0)
        return "its journal has CHECK constraints";
    if (pg_call([journal] { return has_own_indexes(journal); }))
        return journal_has_indexes;
    return nullptr;
}

const char *why_not_heap(Relation table, const ledger_columns &columns,
                         const char *why_not_heap_journal) {
    if (is_distributed(RelationGetRelid(table)))
        return "the table is distributed: its rows are kept elsewhere";
    if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        return "the table is partitioned";
    if (table->rd_rel->relispartition)
        return "the table is a partition";
    if (table->rd_rel->relam != HEAP_TABLE_AM_OID)
        return "the table is kept by another access method than heap";
    if (table->rd_rel->relrowsecurity)
        return "the table has row security";
    if (has_generated_columns(table))
        return "the table has generated columns";
    if (columns.amount.declared_type != columns.amount.type ||
        (columns.version && columns.version->declared_type != columns.version->type))
        return "a column that is written has a domain as its type";
    const AttrNumber amount = columns.amount.number;
    const AttrNumber version = columns.version ? columns.version->number : AttrNumber{0};
    if (pg_call([=] { return has_update_trigger(table, amount, version); }))
        return "the table has triggers for updates";
    const Oid index = unique_index_on(table, numbers_of(columns.key));
    const column *key = columns.key.data();
    const auto count = static_cast<int>(columns.key.size());
    if (!pg_call([=] { return orders_by(index, key, count); }))
        return "the unique index on the key has an order of its own";
    // Last what may come and go beside a movement: it hides nothing else.
    return why_not_heap_journal == nullptr && has_children_now(table) ? has_children
                                                                      : why_not_heap_journal;
}

bool may_come_meanwhile(const char *why_not) {
    return why_not == nullptr || why_not == has_children || why_not == journal_has_indexes;
}

bool refers_to_others(Relation table) {
    const TriggerDesc *triggers = table->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i)
        if (RI_FKey_trigger_type(triggers->triggers[i].tgfoid) == RI_TRIGGER_FK)
            return true;
    return false;
}

bool checks_ask_the_session(Relation table) {
    return pg_call([table] { return has_changing_check(table); });
}

bool is_served_by_heap(const ledger &target) {
    const bool own_snapshot = IsolationUsesXactSnapshot();
    if (wanted != store_heap)
        return wanted == store_auto && target.not_heap == nullptr && !own_snapshot;
    if (target.not_heap == nullptr && !own_snapshot)
        return true;
    throw sql_error(state::prerequisite_state, "the heap store cannot serve " + table_text(target),
                    target.not_heap != nullptr ? std::string{"Reason: "} + target.not_heap + "."
                                               : std::string{"It works under READ COMMITTED only."},
                    "Set lockstep.store to auto.");
}

bool is_served_by_key(const ledger &target) {
    return target.is_distributed || wanted == store_spi_by_key;
}

namespace {

// Which store serves it. `journal` is left open, as far as it came to that.
served served_by(Relation table, Relation &journal) {
    const registration row = registration_of_ledger(table);
    const ledger_columns columns = checked_columns(table, row);
    journal = open_if_free(row.journal, AccessShareLock);
    if (journal == nullptr)
        return {nullptr, "its journal is gone, or locked by others just now"};
    static_cast<void>(
        checked_journal(journal, key_as_one(journal, columns.key), row.journal_version));
    const char *not_heap_journal = why_not_heap_journal(journal, row.journal_version);
    if (const char *why_not = why_not_heap(table, columns, not_heap_journal))
        return {"spi", why_not};
    return {"heap", "a plain table; at other isolation levels than READ COMMITTED spi serves"};
}

} // namespace

served how_served(Oid oid) {
    const Relation table = open_if_free(oid, AccessShareLock);
    if (table == nullptr)
        return {nullptr, "the table is gone, or locked by others just now"};
    Relation journal = nullptr;
    served how{};
    try {
        how = served_by(table, journal);
    } catch (const sql_error &error) {
        how = {nullptr, error.what()};
        if (!error.detail().empty())
            how.reason += ". " + error.detail();
    }
    if (journal != nullptr)
        close_relation(journal, AccessShareLock);
    close_relation(table, AccessShareLock);
    return how;
}

} // namespace lockstep
