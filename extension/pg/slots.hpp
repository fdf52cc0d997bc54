// What is read from a slot that a scan has filled.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {
inline namespace guarded {

// A value unpacked and copied into the current memory context.
inline Datum copied_value(Datum value, bool by_value, int16 length) {
    return length == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value))
                        : datumCopy(value, by_value, length);
}

// A value of the row in the slot, unpacked and copied into the current memory context.
inline Datum copied_value(TupleTableSlot *slot, AttrNumber number, bool *is_null) {
    const Datum value = slot_getattr(slot, number, is_null);
    if (*is_null)
        return Datum{0};
    const Form_pg_attribute attribute = TupleDescAttr(slot->tts_tupleDescriptor, number - 1);
    return copied_value(value, attribute->attbyval, attribute->attlen);
}

// Whether this version of the row is the work of the current transaction.
inline bool is_of_this_transaction(TupleTableSlot *slot) {
    bool is_null = false;
    const Datum xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null);
    return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

// The head of a heap's row as it was at one instant: others may lock the row meanwhile, and one's
// marks with the other's transaction would make no sense.
inline HeapTupleHeaderData head_of(TupleTableSlot *slot) {
    const Buffer page = reinterpret_cast<BufferHeapTupleTableSlot *>(slot)->buffer;
    bool owned = false;
    HeapTuple row = ExecFetchSlotHeapTuple(slot, false, &owned);
    LockBuffer(page, BUFFER_LOCK_SHARE);
    const HeapTupleHeaderData head = *row->t_data;
    LockBuffer(page, BUFFER_LOCK_UNLOCK);
    return head;
}

#ifdef USE_ASSERT_CHECKING
// Whether this transaction has the row of a heap locked, or has written it.
inline bool is_locked_here(TupleTableSlot *slot) {
    const HeapTupleHeaderData head = head_of(slot);
    const TransactionId holder = HeapTupleHeaderGetRawXmax(&head);
    if ((head.t_infomask & HEAP_XMAX_INVALID) != 0)
        return false;
    if ((head.t_infomask & HEAP_XMAX_IS_MULTI) == 0)
        return TransactionIdIsCurrentTransactionId(holder);
    MultiXactMember *members = nullptr;
    const int count =
        GetMultiXactIdMembers(holder, &members, false, HEAP_XMAX_IS_LOCKED_ONLY(head.t_infomask));
    for (int i = 0; i < count; ++i)
        if (TransactionIdIsCurrentTransactionId(members[i].xid))
            return true;
    return false;
}
#endif

} // namespace guarded
} // namespace lockstep
