#include "locking/row_queue.hpp"

#include "pg/catalog.hpp"
#include "pg/scan_key.hpp"
#include "pg/slots.hpp"

namespace lockstep {

namespace {

inline namespace guarded {

bool is_at_work(TransactionId other) {
    return TransactionIdIsNormal(other) && !TransactionIdIsCurrentTransactionId(other) &&
           TransactionIdIsInProgress(other);
}

// Whether somebody else has the row locked against a change of its amount. Those that only keep its
// key from changing (checks of foreign keys) are in nobody's way.
bool is_held(HeapTupleHeader header) {
    const uint16 marks = header->t_infomask;
    if ((marks & HEAP_XMAX_INVALID) != 0 || HEAP_XMAX_IS_KEYSHR_LOCKED(marks))
        return false;
    if ((marks & HEAP_XMAX_IS_MULTI) == 0)
        return is_at_work(HeapTupleHeaderGetRawXmax(header));
    if (!HEAP_XMAX_IS_LOCKED_ONLY(marks))
        return is_at_work(HeapTupleHeaderGetUpdateXid(header));
    return MultiXactIdIsRunning(HeapTupleHeaderGetRawXmax(header), true);
}

int ahead_at(Relation table, TupleTableSlot *slot) {
    LOCKTAG tag;
    SET_LOCKTAG_TUPLE(tag, table->rd_lockInfo.lockRelId.dbId, table->rd_lockInfo.lockRelId.relId,
                      ItemPointerGetBlockNumber(&slot->tts_tid),
                      ItemPointerGetOffsetNumber(&slot->tts_tid));
    // Whoever waits for a row has asked for this lock: the first one has it, and waits for the
    // transaction that holds the row; the others wait for the first one.
    const int waiters = LockWaiterCount(&tag);
    bool held = waiters > 0;
    if (!held && TTS_IS_BUFFERTUPLE(slot)) {
        HeapTupleHeaderData head = head_of(slot);
        held = is_held(&head);
    }
    return waiters + (held ? 1 : 0);
}

bool look_by(const keyed_table &target, Relation table, Relation index, Datum key, int *ahead) {
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    ScanKeyData *by_key = look_for_equal(index, target.key_count);
    look_at(by_key, target.key, target.key_places, key);
    IndexScanDesc scan =
        version::begin_index_scan(table, index, GetActiveSnapshot(), target.key_count);
    index_rescan(scan, by_key, target.key_count, nullptr, 0);
    const bool found = index_getnext_slot(scan, ForwardScanDirection, slot);
    if (found)
        *ahead = ahead_at(table, slot);
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    return found;
}

// What is locked by others just now is passed over: whoever asks may hold locks himself.
bool look_in(const keyed_table &target, Oid member, Datum key, int *ahead) {
    Relation table = open_if_free_in_guard(member, AccessShareLock);
    if (table == nullptr)
        return false;
    bool found = false;
    const bool has_rows = RELKIND_HAS_STORAGE(table->rd_rel->relkind);
    const Oid oid =
        member == target.table ? target.key_index : index_get_partition(table, target.key_index);
    Relation index =
        has_rows && OidIsValid(oid) ? open_if_free_in_guard(oid, AccessShareLock) : nullptr;
    if (index != nullptr) {
        found = look_by(target, table, index, key, ahead);
        relation_close(index, AccessShareLock);
    }
    relation_close(table, AccessShareLock);
    return found;
}

bool look_everywhere(const keyed_table &target, Datum key, int *ahead) {
    // Also where the transaction's own snapshot is old: who waits, waits for the newest version.
    PushActiveSnapshot(GetLatestSnapshot());
    bool found = false;
    for (int i = 0; i < target.family.count && !found; ++i)
        found = look_in(target, target.family.members[i], key, ahead);
    PopActiveSnapshot();
    return found;
}

} // namespace guarded
} // namespace

std::optional<int> sessions_ahead(const keyed_table &target, Datum key) {
    const keyed_table *where = &target;
    int ahead = 0;
    int *const to = &ahead;
    if (!pg_call([=] { return look_everywhere(*where, key, to); }))
        return std::nullopt;
    return ahead;
}

} // namespace lockstep
