#include "ledger/distribution.hpp"

namespace lockstep {

namespace {

inline namespace guarded {

// A table of pg_catalog by its name, with the number of one of its columns; null where there is no
// such table or column, which is so on most servers.
Relation open_catalog(const char *name, const char *column, AttrNumber *number) {
    const Oid oid = get_relname_relid(name, PG_CATALOG_NAMESPACE);
    Relation catalog = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : nullptr;
    if (catalog == nullptr)
        return nullptr;
    *number = get_attnum(oid, column);
    if (*number == InvalidAttrNumber || !RELKIND_HAS_TABLE_AM(catalog->rd_rel->relkind)) {
        relation_close(catalog, AccessShareLock);
        return nullptr;
    }
    return catalog;
}

Oid type_of(Relation catalog, AttrNumber number) {
    return TupleDescAttr(RelationGetDescr(catalog), number - 1)->atttypid;
}

bool is_listed(Oid table) {
    AttrNumber number = InvalidAttrNumber;
    Relation catalog = open_catalog("pg_dist_partition", "logicalrelid", &number);
    if (catalog == nullptr)
        return false;
    bool found = false;
    const Oid type = type_of(catalog, number);
    if (type == REGCLASSOID || type == OIDOID) {
        ScanKeyData key;
        ScanKeyInit(&key, number, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
        SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 1, &key);
        found = HeapTupleIsValid(systable_getnext(scan));
        systable_endscan(scan);
    }
    relation_close(catalog, AccessShareLock);
    return found;
}

bool has_group_of_worker() {
    AttrNumber number = InvalidAttrNumber;
    Relation catalog = open_catalog("pg_dist_local_group", "groupid", &number);
    if (catalog == nullptr)
        return false;
    bool found = false;
    if (type_of(catalog, number) == INT4OID) {
        SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
        HeapTuple tuple = systable_getnext(scan);
        bool is_null = true;
        if (HeapTupleIsValid(tuple)) {
            const Datum group = heap_getattr(tuple, number, RelationGetDescr(catalog), &is_null);
            found = !is_null && DatumGetInt32(group) != 0;
        }
        systable_endscan(scan);
    }
    relation_close(catalog, AccessShareLock);
    return found;
}

} // namespace guarded
} // namespace

bool is_distributed(Oid table) {
    return pg_call([table] { return is_listed(table); });
}

bool is_worker_node() {
    return pg_call([] { return has_group_of_worker(); });
}

} // namespace lockstep
