// Keys of several columns. Inside they are one value of a row type that has just these columns, in
// the order of the key: so they are numbered, compared, booked and shown as any key is. A caller
// gives one as a row of any type, as a row's text, or as a json object; each column's value is then
// read as a key of one column would be.
#pragma once

#include "pg/key.hpp"
#include "pg/row_datum.hpp"

#include <span>

namespace lockstep {

// What such a key is made of. Trivially destructible.
struct key_row {
    int count;
    Oid relation;      // of the row type; InvalidOid where it has no name
    TupleDesc columns; // its columns, as they were when it was described
    // The same relation, while a call holds it: its layout is the one by which the server reads
    // values. A new name of a column makes another one of it.
    mutable Relation held;
    const key_type *parts; // each column's
    const NameData *names; // and its name in the ledger
    TupleDesc texts;       // as many columns of type text, which the text of a row is read as
    FmgrInfo read_texts;
};

// Makes it for columns that each have an order, as one value of the row type `whole`, which has
// these columns. It lives in the current memory context. Waits for no lock.
[[nodiscard]] key_type row_key_type_of(const column &whole, std::span<const column> columns);

// The same as one value of a row type without a name, for a table that has none for its keys.
[[nodiscard]] key_type row_key_type_of(std::span<const column> columns);

// A value of type `given` as a key; its size was looked at. 22004 where a column is null, 22023
// where an object has other columns, 42804 where it is no row, or one of another length.
[[nodiscard]] Datum row_key_from(Datum value, Oid given, const char *argument,
                                 const key_type &type);

inline namespace guarded {

// The layout that such keys are read and made by.
inline TupleDesc layout_of(const key_row &row) {
    return OidIsValid(row.relation) ? RelationGetDescr(row.held) : row.columns;
}

// The columns' values of such a key.
inline void take_key_apart(const key_row &row, Datum key, Datum *values, bool *nulls) {
    HeapTupleData tuple = tuple_in(DatumGetHeapTupleHeader(key));
    heap_deform_tuple(&tuple, layout_of(row), values, nulls);
}

// Such a key, of values that are the columns' own.
inline Datum form_key(const key_row &row, const Datum *values) {
    bool nulls[INDEX_MAX_KEYS] = {};
    return HeapTupleGetDatum(heap_form_tuple(layout_of(row), const_cast<Datum *>(values), nulls));
}

} // namespace guarded
} // namespace lockstep
