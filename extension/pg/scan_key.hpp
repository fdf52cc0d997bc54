// Looking a key up in its index. C: runs inside the guard.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

// "Equal to the value" for the first column of a btree, by the index's own operator class.
inline void look_for_equal(ScanKeyData &key, Relation index, Datum value) {
    const Oid type = index->rd_opcintype[0];
    const Oid equals =
        get_opfamily_member(index->rd_opfamily[0], type, type, BTEqualStrategyNumber);
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[0],
                           get_opcode(equals), value);
}

} // namespace lockstep
