#include "postgres.h"

#include "pg/sequence_page.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* The row of a sequence, in its page, which is locked. */
typedef struct {
    Buffer buffer;
    HeapTupleData tuple;
    Form_pg_sequence_data data;
} sequence_row;

static sequence_row locked_row(Relation sequence, int mode) {
    sequence_row row;
    ItemId item;

    if (sequence->rd_rel->relkind != RELKIND_SEQUENCE)
        elog(ERROR, "\"%s\" is not a sequence", RelationGetRelationName(sequence));
    row.buffer = ReadBuffer(sequence, 0);
    LockBuffer(row.buffer, mode);
    item = PageGetItemId(BufferGetPage(row.buffer), FirstOffsetNumber);
    if (!ItemIdIsNormal(item))
        elog(ERROR, "sequence \"%s\" has no row", RelationGetRelationName(sequence));
    row.tuple.t_data = (HeapTupleHeader)PageGetItem(BufferGetPage(row.buffer), item);
    row.tuple.t_len = ItemIdGetLength(item);
    row.data = (Form_pg_sequence_data)GETSTRUCT(&row.tuple);
    return row;
}

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
    Relation relation = relation_open(sequence, AccessShareLock);
    const sequence_row row = locked_row(relation, BUFFER_LOCK_SHARE);

    state.last_value = row.data->last_value;
    state.is_called = row.data->is_called;
    state.increment = definition.seqincrement;
    UnlockReleaseBuffer(row.buffer);
    relation_close(relation, AccessShareLock);
    return state;
}

static void log_row(const sequence_row *row) {
    xl_seq_rec record;
    ForkNumber fork;
    BlockNumber block;
    XLogRecPtr place;

    /* The record is the name of the file, whose type has another name from 16 on. */
    BufferGetTag(row->buffer, (void *)&record, &fork, &block);
    XLogBeginInsert();
    XLogRegisterBuffer(0, row->buffer, REGBUF_WILL_INIT);
    XLogRegisterData((char *)&record, sizeof(record));
    XLogRegisterData((char *)row->tuple.t_data, row->tuple.t_len);
    place = XLogInsert(RM_SEQ_ID, XLOG_SEQ_LOG);
    PageSetLSN(BufferGetPage(row->buffer), place);
}

/* As do_setval() does it. */
bool lockstep_raise_sequence(Oid sequence, int64 above) {
    const FormData_pg_sequence definition = definition_of(sequence);
    Relation relation;
    sequence_row row;

    if (definition.seqincrement < 0 || above < definition.seqmin || above >= definition.seqmax)
        return false;
    /* As nextval(): what changes the sequence itself waits for the end of the transaction. */
    relation = relation_open(sequence, RowExclusiveLock);
    /* The commit then waits for what is logged here. Not taken while the page is locked. */
    if (RelationNeedsWAL(relation))
        (void)GetTopTransactionId();
    row = locked_row(relation, BUFFER_LOCK_EXCLUSIVE);
    if (row.data->last_value < above || (row.data->last_value == above && !row.data->is_called)) {
        START_CRIT_SECTION();
        row.data->last_value = above;
        row.data->is_called = true;
        row.data->log_cnt = 0;
        MarkBufferDirty(row.buffer);
        if (RelationNeedsWAL(relation))
            log_row(&row);
        END_CRIT_SECTION();
    }
    UnlockReleaseBuffer(row.buffer);
    relation_close(relation, NoLock);
    return true;
}
