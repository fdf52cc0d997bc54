#include "store/row_queue.hpp"

namespace lockstep {

namespace {

// C from here to the end of the namespace: it runs inside the guard.

bool is_at_work(TransactionId other) {
    return TransactionIdIsNormal(other) && !TransactionIdIsCurrentTransactionId(other) &&
           TransactionIdIsInProgress(other);
}

// Whether somebody else has the row locked against a change of its amount. Those that only keep its
// key from changing (checks of foreign keys) are in nobody's way.
bool is_held(HeapTuple row) {
    const HeapTupleHeader header = row->t_data;
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
        bool owned = false;
        held = is_held(ExecFetchSlotHeapTuple(slot, false, &owned));
    }
    return waiters + (held ? 1 : 0);
}

bool look_by(Relation table, Relation index, Datum key, int *ahead) {
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    const Oid type = index->rd_opcintype[0];
    const Oid equals =
        get_opfamily_member(index->rd_opfamily[0], type, type, BTEqualStrategyNumber);
    ScanKeyData by_key;
    ScanKeyEntryInitialize(&by_key, 0, 1, BTEqualStrategyNumber, InvalidOid,
                           index->rd_indcollation[0], get_opcode(equals), key);
    IndexScanDesc scan = version::begin_index_scan(table, index, GetActiveSnapshot(), 1);
    index_rescan(scan, &by_key, 1, nullptr, 0);
    const bool found = index_getnext_slot(scan, ForwardScanDirection, slot);
    if (found)
        *ahead = ahead_at(table, slot);
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    return found;
}

// What is locked by others just now is passed over: whoever asks may hold locks himself.
Relation open_at_once(Oid oid) {
    return version::lock_relation_if_free(oid, AccessShareLock) ? try_relation_open(oid, NoLock)
                                                                : nullptr;
}

bool look_in(const ledger &in, Oid member, Datum key, int *ahead) {
    Relation table = open_at_once(member);
    if (table == nullptr)
        return false;
    bool found = false;
    const bool has_rows = RELKIND_HAS_STORAGE(table->rd_rel->relkind);
    const Oid oid = member == in.table ? in.key_index : index_get_partition(table, in.key_index);
    Relation index = has_rows && OidIsValid(oid) ? open_at_once(oid) : nullptr;
    if (index != nullptr) {
        found = look_by(table, index, key, ahead);
        relation_close(index, NoLock);
    }
    relation_close(table, NoLock);
    return found;
}

bool look_everywhere(const ledger &in, Datum key, int *ahead) {
    // Also where the transaction's own snapshot is old: who waits, waits for the newest version.
    PushActiveSnapshot(GetLatestSnapshot());
    bool found = false;
    for (int i = 0; i < in.family.count && !found; ++i)
        found = look_in(in, in.family.members[i], key, ahead);
    PopActiveSnapshot();
    return found;
}

} // namespace

std::optional<int> sessions_ahead(const ledger &in, Datum key) {
    const ledger *where = &in;
    int ahead = 0;
    int *const to = &ahead;
    if (!pg_call([=] { return look_everywhere(*where, key, to); }))
        return std::nullopt;
    return ahead;
}

} // namespace lockstep
