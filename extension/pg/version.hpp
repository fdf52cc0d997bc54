// Every difference between the supported servers, in one place: the newest form first, with the
// release that brought it. Nothing but this and version.h, its part for C, looks at the server's
// version.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "pg/version.h"
}

namespace lockstep::version {
inline namespace guarded {

// Whether the user owns the relation. 16: one function for every kind of object.
inline bool owns_relation(Oid relation, Oid user) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, relation, user);
#else
    return pg_class_ownercheck(relation, user);
#endif
}

// Whether the user has the right on the schema. 16: one function for every kind of object.
inline AclResult check_schema_right(Oid schema, Oid user, AclMode right) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, user, right);
#else
    return pg_namespace_aclcheck(schema, user, right);
#endif
}

// Starts a scan of an index. 18: an argument for instrumentation; 19: and one for flags.
inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 190000
    return index_beginscan(table, index, snapshot, nullptr, keys, 0, SO_NONE);
#elif PG_VERSION_NUM >= 180000
    return index_beginscan(table, index, snapshot, nullptr, keys, 0);
#else
    return index_beginscan(table, index, snapshot, keys, 0);
#endif
}

// Starts a scan of a whole table. 19: an argument for flags.
inline TableScanDesc begin_table_scan(Relation table, Snapshot snapshot) {
#if PG_VERSION_NUM >= 190000
    return table_beginscan(table, snapshot, 0, nullptr, SO_NONE);
#else
    return table_beginscan(table, snapshot, 0, nullptr);
#endif
}

// A lock on a relation, where it is to be had at once; false where it is not, and where the table
// of locks is full. 18: an argument for logging.
inline bool lock_relation_if_free(Oid relation, LOCKMODE mode) {
    LOCKTAG tag;
    LOCALLOCK *lock = nullptr;
    SET_LOCKTAG_RELATION(tag, IsSharedRelation(relation) ? InvalidOid : MyDatabaseId, relation);
#if PG_VERSION_NUM >= 180000
    const LockAcquireResult result =
        LockAcquireExtended(&tag, mode, false, true, false, &lock, false);
#else
    const LockAcquireResult result = LockAcquireExtended(&tag, mode, false, true, false, &lock);
#endif
    if (result == LOCKACQUIRE_NOT_AVAIL)
        return false;
    // As ConditionalLockRelationOid() does.
    if (result != LOCKACQUIRE_ALREADY_CLEAR) {
        AcceptInvalidationMessages();
        MarkLockClear(lock);
    }
    return true;
}

// Makes a row type that was put together column by column ready for use. 19: has to be done.
inline void finish_row_type([[maybe_unused]] TupleDesc made) {
#if PG_VERSION_NUM >= 190000
    TupleDescFinalize(made);
#endif
}

// What the statistics say of one backend, by index from 1. 16: named for what it does.
inline const PgBackendStatus *backend_status(int index) {
#if PG_VERSION_NUM >= 160000
    const LocalPgBackendStatus *status = pgstat_get_local_beentry_by_index(index);
#else
    const LocalPgBackendStatus *status = pgstat_fetch_stat_local_beentry(index);
#endif
    return status == nullptr ? nullptr : &status->backendStatus;
}

// The sequence behind an identity column; InvalidOid where there is none. 17: takes the relation.
inline Oid identity_sequence(Relation relation, AttrNumber column) {
#if PG_VERSION_NUM >= 170000
    return getIdentitySequence(relation, column, true);
#else
    return getIdentitySequence(RelationGetRelid(relation), column, true);
#endif
}

// Replaces a row, and tells which indexes have to know of the new one.
// 16: some rows only summarizing indexes have to know. 19: an argument for options.
#if PG_VERSION_NUM >= 160000
using indexes_to_update = TU_UpdateIndexes;
constexpr indexes_to_update no_indexes = TU_None;
#else
using indexes_to_update = bool;
constexpr indexes_to_update no_indexes = false;
#endif
inline TM_Result replace_row(Relation table, ItemPointer place, TupleTableSlot *fresh,
                             CommandId command, Snapshot snapshot, indexes_to_update *needed) {
    TM_FailureData failure{};
    LockTupleMode mode = LockTupleNoKeyExclusive;
    *needed = no_indexes;
#if PG_VERSION_NUM >= 190000
    return table_tuple_update(table, place, fresh, command, 0, snapshot, InvalidSnapshot, true,
                              &failure, &mode, needed);
#else
    return table_tuple_update(table, place, fresh, command, snapshot, InvalidSnapshot, true,
                              &failure, &mode, needed);
#endif
}

// Adds the row that replaces another one to these indexes. 19: flags in another order.
inline void update_indexes(ResultRelInfo *result, TupleTableSlot *fresh, EState *estate,
                           [[maybe_unused]] indexes_to_update needed) {
#if PG_VERSION_NUM >= 190000
    const uint32 flags = EIIT_IS_UPDATE | (needed == TU_Summarizing ? EIIT_ONLY_SUMMARIZING : 0);
    ExecInsertIndexTuples(result, estate, flags, fresh, NIL, nullptr);
#elif PG_VERSION_NUM >= 160000
    ExecInsertIndexTuples(result, fresh, estate, true, false, nullptr, NIL,
                          needed == TU_Summarizing);
#else
    ExecInsertIndexTuples(result, fresh, estate, true, false, nullptr, NIL);
#endif
}

// Adds a new row to the indexes, without waiting and without an error where one of the arbiters has
// its key already; then false. 16: one argument more; 19: flags in another order.
inline bool insert_into_indexes(ResultRelInfo *result, TupleTableSlot *row, EState *estate,
                                List *arbiters) {
    bool conflict = false;
#if PG_VERSION_NUM >= 190000
    ExecInsertIndexTuples(result, estate, EIIT_NO_DUPE_ERROR, row, arbiters, &conflict);
#elif PG_VERSION_NUM >= 160000
    ExecInsertIndexTuples(result, row, estate, false, true, &conflict, arbiters, false);
#else
    ExecInsertIndexTuples(result, row, estate, false, true, &conflict, arbiters);
#endif
    return !conflict;
}

// Whether a backslash in a plain string is an ordinary character. 19: always.
inline bool strings_conform() {
#if PG_VERSION_NUM >= 190000
    return true;
#else
    return standard_conforming_strings;
#endif
}

// What pg_stat_activity shows of a pause before the next attempt.
inline uint32 retry_wait_event() {
    static uint32 event = 0;
    if (event == 0)
        event = LOCKSTEP_EXTENSION_EVENT("LockstepRetry", 0x4c53);
    return event;
}

// Of what SPI returns. 17: MERGE has a RETURNING.
inline bool is_merge_returning([[maybe_unused]] int code) {
#if PG_VERSION_NUM >= 170000
    return code == SPI_OK_MERGE_RETURNING;
#else
    return false;
#endif
}

} // namespace guarded
} // namespace lockstep::version
