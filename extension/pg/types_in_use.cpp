#include "pg/types_in_use.hpp"

#include "pg/row_datum.hpp"

namespace lockstep {
inline namespace guarded {

namespace {

bool is_held(const List *held, Oid relation) {
    ListCell *cell = nullptr;
    foreach (cell, held)
        if (RelationGetRelid(static_cast<Relation>(lfirst(cell))) == relation)
            return true;
    return false;
}

List *hold_row_type(List *held, Oid relation) {
    if (!OidIsValid(relation) || is_held(held, relation))
        return held;
    Relation opened = relation_open(relation, AccessShareLock);
    held = lappend(held, opened);
    TupleDesc columns = RelationGetDescr(opened);
    for (int i = 0; i < columns->natts; ++i)
        if (!TupleDescAttr(columns, i)->attisdropped)
            held = hold_types(held, TupleDescAttr(columns, i)->atttypid);
    return held;
}

List *hold_types_of_row(List *held, Datum value) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(value);
    const row_parts parts = take_apart(row);
    held = hold_types(held, HeapTupleHeaderGetTypeId(row));
    for (int i = 0; i < parts.columns->natts; ++i) {
        const Oid type = TupleDescAttr(parts.columns, i)->atttypid;
        held = hold_types(held, type);
        if (!parts.nulls[i])
            held = hold_types_of(held, parts.values[i], type);
    }
    release(parts);
    return held;
}

} // namespace

List *hold_types_of(List *held, Datum value, Oid type) {
    check_stack_depth();
    if (type == RECORDOID)
        return hold_types_of_row(held, value);
    if (type != RECORDARRAYOID)
        return held;
    Datum *rows = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(value), RECORDOID, -1, false, TYPALIGN_DOUBLE, &rows,
                      &nulls, &count);
    for (int i = 0; i < count; ++i)
        if (!nulls[i])
            held = hold_types_of_row(held, rows[i]);
    return held;
}

List *hold_types_of_all(List *held, const Datum *values, std::size_t count, Oid type) {
    for (std::size_t i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        if (values[i] != Datum{0})
            held = hold_types_of(held, values[i], type);
    }
    return held;
}

List *hold_types(List *held, Oid declared) {
    check_stack_depth();
    if (!OidIsValid(declared))
        return held;
    const Oid type = getBaseType(declared);
    switch (get_typtype(type)) {
    case TYPTYPE_COMPOSITE: return hold_row_type(held, get_typ_typrelid(type));
    case TYPTYPE_RANGE: return hold_types(held, get_range_subtype(type));
    case TYPTYPE_MULTIRANGE: return hold_types(held, get_multirange_range(type));
    default: return hold_types(held, get_element_type(type));
    }
}

void release_types(List *held) {
    ListCell *cell = nullptr;
    foreach (cell, held)
        relation_close(static_cast<Relation>(lfirst(cell)), NoLock);
    list_free(held);
}

} // namespace guarded
} // namespace lockstep
