// A row that goes into a heap where no other one has its key, without waiting for anybody.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {
inline namespace guarded {

// What a table's indexes need to be told of new rows.
struct index_writer {
    EState *estate;
    ResultRelInfo *result;
    List *arbiters; // the unique index that decides
};

inline void open_indexes(index_writer &to, Relation table, Oid unique_index) {
    to.estate = CreateExecutorState();
    to.estate->es_snapshot = GetActiveSnapshot();
    to.result = makeNode(ResultRelInfo);
    InitResultRelInfo(to.result, table, 0, nullptr, 0);
    ExecOpenIndices(to.result, false);
    to.arbiters = list_make1_oid(unique_index);
}

inline void close_indexes(index_writer &to) {
    ExecCloseIndices(to.result);
    FreeExecutorState(to.estate);
}

// Adds a row that is in the heap to the indexes; false where its key is there already.
inline bool add_to_indexes(index_writer &to, TupleTableSlot *slot) {
    const bool is_new = version::insert_into_indexes(to.result, slot, to.estate, to.arbiters);
    ResetPerTupleExprContext(to.estate);
    return is_new;
}

// As ON CONFLICT DO NOTHING does it (ExecInsert): what is taken back was never there for anybody,
// not for logical decoding either. False where the key is there already, or just going in.
inline bool insert_if_new(index_writer &to, Relation table, TupleTableSlot *slot) {
    const TransactionId own = GetCurrentTransactionId();
    const uint32 token = SpeculativeInsertionLockAcquire(own);
    table_tuple_insert_speculative(table, slot, GetCurrentCommandId(true), 0, nullptr, token);
    const bool is_new = add_to_indexes(to, slot);
    table_tuple_complete_speculative(table, slot, token, is_new);
    SpeculativeInsertionLockRelease(own);
    return is_new;
}

} // namespace guarded
} // namespace lockstep
