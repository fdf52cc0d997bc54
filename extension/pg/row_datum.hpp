// A row as a value.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {
inline namespace guarded {

// The tuple in it, which points into the value.
inline HeapTupleData tuple_in(HeapTupleHeader row) {
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = row;
    return tuple;
}

// A row of any type, taken apart.
struct row_parts {
    TupleDesc columns;
    Datum *values;
    bool *nulls;
};

inline row_parts take_apart(HeapTupleHeader row) {
    row_parts parts{};
    parts.columns =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    const auto room = static_cast<Size>(parts.columns->natts) + 1;
    parts.values = static_cast<Datum *>(palloc(sizeof(Datum) * room));
    parts.nulls = static_cast<bool *>(palloc(sizeof(bool) * room));
    HeapTupleData tuple = tuple_in(row);
    heap_deform_tuple(&tuple, parts.columns, parts.values, parts.nulls);
    return parts;
}

inline void release(const row_parts &parts) {
    pfree(parts.values);
    pfree(parts.nulls);
    ReleaseTupleDesc(parts.columns);
}

} // namespace guarded
} // namespace lockstep
