// Looking a key up in its index.
#pragma once

#include "pg/boundary.hpp"
#include "pg/row_key.hpp"

namespace lockstep {
inline namespace guarded {

// "Equal to a value" for each of the first columns of a btree, by the index's own operator classes.
// look_at() gives the values.
inline ScanKeyData *look_for_equal(Relation index, int columns) {
    auto *keys =
        static_cast<ScanKeyData *>(palloc(sizeof(ScanKeyData) * static_cast<Size>(columns)));
    for (int i = 0; i < columns; ++i) {
        const Oid type = index->rd_opcintype[i];
        const Oid equals =
            get_opfamily_member(index->rd_opfamily[i], type, type, BTEqualStrategyNumber);
        ScanKeyEntryInitialize(&keys[i], 0, static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber,
                               InvalidOid, index->rd_indcollation[i], get_opcode(equals), Datum{0});
    }
    return keys;
}

// The key as what is looked for; places[i] says which of its columns the index's column i is.
inline void look_at(ScanKeyData *keys, const key_type &type, const int8 *places, Datum key) {
    if (type.row == nullptr) {
        keys[0].sk_argument = key;
        return;
    }
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    take_key_apart(*type.row, key, values, nulls);
    for (int i = 0; i < type.row->count; ++i) {
        keys[i].sk_argument = values[places[i]];
        // A caller's key has none; what somebody put into a journal may.
        keys[i].sk_flags = nulls[places[i]] ? SK_ISNULL : 0;
    }
}

} // namespace guarded
} // namespace lockstep
