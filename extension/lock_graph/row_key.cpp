#include "lock_graph/row_key.hpp"

namespace lockstep {

namespace {

// Longer keys are cut.
constexpr int longest_key = 200;

inline namespace guarded {

// The index whose columns name a row: the primary key, else the first unique index that is complete
// and without nulls. Opened with a lock; null with a status where there is none.
Relation open_key_index(Relation table, row_status *status) {
    List *indexes = RelationGetIndexList(table);
    Relation found = nullptr;
    *status = row_status::no_key;
    for (int pass = 0; pass < 2 && found == nullptr; ++pass) {
        ListCell *cell;
        foreach (cell, indexes) {
            const Oid oid = lfirst_oid(cell);
            if ((oid == table->rd_pkindex) != (pass == 0))
                continue;
            if (!version::lock_relation_if_free(oid, AccessShareLock)) {
                *status = row_status::relation_locked;
                continue;
            }
            // It may be dropped concurrently to all that the table's lock keeps away.
            Relation index = try_relation_open(oid, NoLock);
            if (index == nullptr) {
                UnlockRelationOid(oid, AccessShareLock);
                continue;
            }
            const Form_pg_index form = index->rd_index;
            bool names_rows = form->indisunique && form->indisvalid && form->indislive &&
                              heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
            for (int i = 0; i < form->indnkeyatts && names_rows; ++i) {
                const AttrNumber column = form->indkey.values[i];
                names_rows =
                    column > 0 && TupleDescAttr(RelationGetDescr(table), column - 1)->attnotnull;
            }
            if (names_rows) {
                found = index;
                break;
            }
            relation_close(index, AccessShareLock);
        }
    }
    list_free(indexes);
    return found;
}

// A long value may be kept outside the row; reading it opens the table for such values, and its
// index.
struct toast_locks {
    Oid held[8];
    int count;
};

bool lock_toast(Relation table, toast_locks *locks) {
    const Oid toast = table->rd_rel->reltoastrelid;
    if (locks->count > 0)
        return true;
    if (!version::lock_relation_if_free(toast, AccessShareLock))
        return false;
    locks->held[locks->count++] = toast;
    Relation opened = table_open(toast, NoLock);
    List *indexes = RelationGetIndexList(opened);
    bool free = list_length(indexes) < static_cast<int>(lengthof(locks->held));
    ListCell *cell;
    foreach (cell, indexes) {
        free = free && version::lock_relation_if_free(lfirst_oid(cell), AccessShareLock);
        if (free)
            locks->held[locks->count++] = lfirst_oid(cell);
    }
    table_close(opened, NoLock);
    return free;
}

void unlock_toast(const toast_locks *locks) {
    for (int i = locks->count; --i >= 0;)
        UnlockRelationOid(locks->held[i], AccessShareLock);
}

TransactionId top_of(TransactionId xid) {
    // Older ones have ended, and may be forgotten.
    return TransactionIdIsNormal(xid) && TransactionIdFollowsOrEquals(xid, TransactionXmin)
               ? SubTransGetTopmostTransaction(xid)
               : xid;
}

bool is_holder(TransactionId xid, TransactionId holder) {
    if (!TransactionIdIsValid(holder))
        return TransactionIdIsInProgress(xid);
    return xid == holder || top_of(xid) == holder;
}

// Whether the row is still the one that is waited for: by its header, somebody asked for has it.
bool is_still_locked(row_look *row, HeapTuple tuple, Buffer buffer) {
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const TransactionId written = HeapTupleHeaderGetRawXmin(tuple->t_data); // frozen or not
    const TransactionId xmin = HeapTupleHeaderGetXmin(tuple->t_data);
    const TransactionId xmax = HeapTupleHeaderGetRawXmax(tuple->t_data);
    const uint16 flags = tuple->t_data->t_infomask;
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    if (TransactionIdIsValid(row->written_before))
        return TransactionIdPrecedes(written, row->written_before);
    if (row->may_be_new && is_holder(xmin, row->holder))
        return true;
    if ((flags & HEAP_XMAX_INVALID) != 0 || HEAP_LOCKED_UPGRADED(flags))
        return false;
    if ((flags & HEAP_XMAX_IS_MULTI) == 0)
        return is_holder(xmax, row->holder);
    row->locker_count =
        GetMultiXactIdMembers(xmax, &row->lockers, false, HEAP_XMAX_IS_LOCKED_ONLY(flags));
    for (int i = 0; i < row->locker_count; ++i)
        if (is_holder(row->lockers[i].xid, row->holder))
            return true;
    row->locker_count = 0;
    return false;
}

// The key's values; false where one of them cannot be read without waiting.
bool read_key(Relation table, Relation index, HeapTuple tuple, Datum *values, bool *nulls,
              toast_locks *locks) {
    const int columns = IndexRelationGetNumberOfKeyAttributes(index);
    Assert(columns <= INDEX_MAX_KEYS);
    for (int i = 0; i < columns; ++i) {
        const AttrNumber column = index->rd_index->indkey.values[i];
        values[i] = heap_getattr(tuple, column, RelationGetDescr(table), &nulls[i]);
        if (!nulls[i] && TupleDescAttr(RelationGetDescr(table), column - 1)->attlen == -1 &&
            VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(values[i])) && !lock_toast(table, locks))
            return false;
    }
    return true;
}

// Base types print themselves. Others look things up first, perhaps in a table that is locked: a
// row type opens its relation, a range and an array their elements, the reg types their catalogs.
bool prints_itself(Oid declared) {
    const Oid type = getBaseType(declared);
    switch (type) {
    case REGPROCOID:
    case REGPROCEDUREOID:
    case REGOPEROID:
    case REGOPERATOROID:
    case REGCLASSOID:
    case REGTYPEOID:
    case REGROLEOID:
    case REGNAMESPACEOID:
    case REGCONFIGOID:
    case REGDICTIONARYOID:
    case REGCOLLATIONOID: return false;
    default: break;
    }
    const char kind = get_typtype(type);
    return kind == TYPTYPE_ENUM || (kind == TYPTYPE_BASE && !OidIsValid(get_element_type(type)));
}

bool key_prints_itself(Relation table, Relation index) {
    for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); ++i) {
        const AttrNumber column = index->rd_index->indkey.values[i];
        if (!prints_itself(TupleDescAttr(RelationGetDescr(table), column - 1)->atttypid))
            return false;
    }
    return true;
}

void find_key(Relation table, Relation index, row_look *row, HeapTuple tuple) {
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    toast_locks locks = {};
    row->status = row_status::key_type;
    if (!key_prints_itself(table, index))
        return;
    row->status = row_status::relation_locked;
    if (read_key(table, index, tuple, values, nulls, &locks)) {
        // Checks the caller's rights on the table and on the columns.
        char *text = BuildIndexValueDescription(index, values, nulls);
        row->status = text == nullptr ? row_status::no_privilege : row_status::ok;
        row->key = text;
        if (text != nullptr && strlen(text) > longest_key)
            row->key = psprintf(
                "%.*s...", pg_mbcliplen(text, static_cast<int>(strlen(text)), longest_key), text);
    }
    Assert(locks.count <= static_cast<int>(lengthof(locks.held)));
    unlock_toast(&locks);
}

// To print a key takes much memory, and of that the text alone is kept.
void show_key(Relation table, Relation index, row_look *row, HeapTuple tuple) {
    const MemoryContext kept = CurrentMemoryContext;
    const MemoryContext scratch =
        AllocSetContextCreate(kept, "lockstep row key", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(scratch);
    find_key(table, index, row, tuple);
    MemoryContextSwitchTo(kept);
    if (row->key != nullptr)
        row->key = pstrdup(row->key);
    MemoryContextDelete(scratch);
}

bool has_only_columns(Relation index) {
    for (int i = 0; i < index->rd_index->indnkeyatts; ++i)
        if (index->rd_index->indkey.values[i] <= 0)
            return false;
    return true;
}

void look_at_row(Relation table, Relation index, BlockNumber blocks, row_status without_key,
                 row_look *row) {
    HeapTupleData tuple;
    Buffer buffer;
    row->status = row_status::moved;
    ItemPointerCopy(&row->place, &tuple.t_self);
    if (ItemPointerGetBlockNumberNoCheck(&row->place) >= blocks ||
        !heap_fetch(table, SnapshotAny, &tuple, &buffer, false))
        return;
    if (is_still_locked(row, &tuple, buffer)) {
        row->status = without_key;
        if (index != nullptr)
            show_key(table, index, row, &tuple);
    }
    ReleaseBuffer(buffer);
}

// Whether the rows have been where they are since then: what moves them all (VACUUM FULL, CLUSTER)
// writes the table's row in pg_class anew. Other commands do so too.
bool are_in_place_since(Oid relation, TransactionId since) {
    const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        return false;
    const TransactionId written = HeapTupleHeaderGetRawXmin(tuple->t_data);
    const bool is_frozen = HeapTupleHeaderXminFrozen(tuple->t_data);
    ReleaseSysCache(tuple);
    return !TransactionIdIsNormal(written) || TransactionIdPrecedes(written, since) ||
           (is_frozen && !TransactionIdPrecedes(written, ReadNextTransactionId()));
}

void set_all(row_look *rows, size_t count, row_status status) {
    for (size_t i = 0; i < count; ++i)
        rows[i].status = status;
}

void look_at_table(Oid relation, row_look *rows, size_t count) {
    if (!version::lock_relation_if_free(relation, AccessShareLock)) {
        set_all(rows, count, row_status::relation_locked);
        return;
    }
    Relation table = try_relation_open(relation, NoLock);
    if (table == nullptr) {
        UnlockRelationOid(relation, AccessShareLock);
        set_all(rows, count, row_status::moved);
        return;
    }
    const char kind = table->rd_rel->relkind;
    if (RELATION_IS_OTHER_TEMP(table))
        set_all(rows, count, row_status::other_temp);
    else if ((kind != RELKIND_RELATION && kind != RELKIND_MATVIEW) ||
             table->rd_rel->relam != HEAP_TABLE_AM_OID)
        set_all(rows, count, row_status::unknown);
    else {
        row_status without_key;
        Relation index = open_key_index(table, &without_key);
        if (check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED) {
            if (index != nullptr)
                index_close(index, AccessShareLock);
            index = nullptr;
            without_key = row_status::rls;
        }
        const BlockNumber blocks = RelationGetNumberOfBlocks(table);
        for (size_t i = 0; i < count; ++i)
            if (TransactionIdIsValid(rows[i].written_before) &&
                !are_in_place_since(relation, rows[i].written_before))
                rows[i].status = row_status::moved;
            else
                look_at_row(table, index, blocks, without_key, &rows[i]);
        if (index != nullptr)
            index_close(index, AccessShareLock);
    }
    relation_close(table, AccessShareLock);
}

// Whether the row is one that this transaction has just written.
bool is_written_by(HeapTuple tuple, Buffer buffer, TransactionId writer) {
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const TransactionId xmin = HeapTupleHeaderGetXmin(tuple->t_data);
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    return TransactionIdIsValid(writer) && is_holder(xmin, writer);
}

void look_at_insertion(Relation table, Relation index, row_look *row) {
    HeapTupleData tuple;
    Buffer buffer;
    row->status = row_status::moved;
    ItemPointerCopy(&row->place, &tuple.t_self);
    if (ItemPointerGetBlockNumberNoCheck(&row->place) >= RelationGetNumberOfBlocks(table) ||
        !heap_fetch(table, SnapshotAny, &tuple, &buffer, false))
        return;
    if (is_written_by(&tuple, buffer, row->holder)) {
        if (check_enable_rls(RelationGetRelid(table), InvalidOid, true) == RLS_ENABLED)
            row->status = row_status::rls;
        else if (has_only_columns(index))
            show_key(table, index, row, &tuple);
        else
            row->status = row_status::no_key;
    }
    ReleaseBuffer(buffer);
}

void look_behind_index(Oid index, row_look *row) {
    const Oid relation = IndexGetRelation(index, true);
    row->status = row_status::relation_locked;
    if (!OidIsValid(relation) || !version::lock_relation_if_free(relation, AccessShareLock))
        return;
    Relation table = try_relation_open(relation, NoLock);
    if (table == nullptr) {
        UnlockRelationOid(relation, AccessShareLock);
        return;
    }
    if (table->rd_rel->relam == HEAP_TABLE_AM_OID && !RELATION_IS_OTHER_TEMP(table) &&
        version::lock_relation_if_free(index, AccessShareLock)) {
        Relation opened = try_relation_open(index, NoLock);
        row->status = row_status::moved;
        if (opened == nullptr) {
            UnlockRelationOid(index, AccessShareLock);
        } else {
            if (opened->rd_index != nullptr && opened->rd_index->indrelid == relation)
                look_at_insertion(table, opened, row);
            relation_close(opened, AccessShareLock);
        }
    }
    relation_close(table, AccessShareLock);
}

} // namespace guarded
} // namespace

const char *status_name(row_status status) {
    switch (status) {
    case row_status::ok: return "ok";
    case row_status::no_privilege: return "no_privilege";
    case row_status::rls: return "rls";
    case row_status::moved: return "moved";
    case row_status::relation_locked: return "relation_locked";
    case row_status::other_db: return "other_db";
    case row_status::other_temp: return "other_temp";
    case row_status::key_type: return "key_type";
    case row_status::no_key: return "no_key";
    case row_status::unknown: break;
    }
    return "unknown";
}

void look_at_rows(Oid relation, std::span<row_look> rows) {
    row_look *const first = rows.data();
    const std::size_t count = rows.size();
    pg_call([=] { look_at_table(relation, first, count); });
}

void look_at_inserted_row(Oid index, row_look &row) {
    row_look *const one = &row;
    pg_call([=] { look_behind_index(index, one); });
}

LOCKMODE row_lock_mode(MultiXactStatus status) {
    switch (status) {
    case MultiXactStatusForKeyShare: return AccessShareLock;
    case MultiXactStatusForShare: return RowShareLock;
    case MultiXactStatusForNoKeyUpdate:
    case MultiXactStatusNoKeyUpdate: return ExclusiveLock;
    case MultiXactStatusForUpdate:
    case MultiXactStatusUpdate: break;
    }
    return AccessExclusiveLock;
}

TransactionId topmost(TransactionId xid) {
    return pg_call([xid] { return top_of(xid); });
}

} // namespace lockstep
