#include "pg/boundary.hpp"

#include "retry/types_in_use.hpp"

namespace lockstep {

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

} // namespace

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

} // namespace lockstep
