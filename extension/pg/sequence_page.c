#include "postgres.h"

#include "pg/sequence_page.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static FormData_pg_sequence definition_of(Oid sequence) {
    FormData_pg_sequence definition;
    HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for sequence %u", sequence);
    definition = *(Form_pg_sequence)GETSTRUCT(tuple);
    ReleaseSysCache(tuple);
    return definition;
}

lockstep_sequence_state lockstep_sequence_state_of(Oid sequence) {
    const FormData_pg_sequence definition = definition_of(sequence);
    lockstep_sequence_state state;
    HeapTupleData tuple;
    Form_pg_sequence_data data;
    Relation relation = relation_open(sequence, AccessShareLock);
    Buffer buffer = ReadBuffer(relation, 0);
    ItemId item;

    /* It has one page, and one row in it. */
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    item = PageGetItemId(BufferGetPage(buffer), FirstOffsetNumber);
    if (!ItemIdIsNormal(item))
        elog(ERROR, "sequence \"%s\" has no row", RelationGetRelationName(relation));
    tuple.t_data = (HeapTupleHeader)PageGetItem(BufferGetPage(buffer), item);
    data = (Form_pg_sequence_data)GETSTRUCT(&tuple);
    state.last_value = data->last_value;
    state.is_called = data->is_called;
    state.increment = definition.seqincrement;
    state.least = definition.seqmin;
    state.most = definition.seqmax;
    UnlockReleaseBuffer(buffer);
    relation_close(relation, AccessShareLock);
    return state;
}
