// What is read from a slot that a scan has filled. C: all of it runs inside the guard.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

// A value of the row in the slot, unpacked and copied into the current memory context.
inline Datum copied_value(TupleTableSlot *slot, AttrNumber number, bool *is_null) {
    const Datum value = slot_getattr(slot, number, is_null);
    if (*is_null)
        return Datum{0};
    const Form_pg_attribute attribute = TupleDescAttr(slot->tts_tupleDescriptor, number - 1);
    if (attribute->attlen == -1)
        return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
    return datumCopy(value, attribute->attbyval, attribute->attlen);
}

// Whether this version of the row is the work of the current transaction.
inline bool is_of_this_transaction(TupleTableSlot *slot) {
    bool is_null = false;
    const Datum xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null);
    return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

} // namespace lockstep
