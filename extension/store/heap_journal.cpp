// Many in one go: multi-insert into the heap, then each index in the order of the ids. Where some
// may have to be taken back alone, one after the other.
#include "store/heap_journal.hpp"

#include "pg/new_row.hpp"
#include "store/expectations.hpp"

#include <algorithm>
#include <cstddef>

namespace lockstep {

namespace {

// Some pages full; more at once gains nothing, and costs as many slots. Rows with memos may be
// large, and each is in memory once more while it is written.
constexpr std::size_t rows_at_once = 250;
constexpr std::size_t bytes_at_once = 65536;

inline namespace guarded {

struct journal_writer {
    Relation journal;
    index_writer indexes; // of which one decides whether an id is booked
    TupleTableSlot **slots;
    std::size_t slot_count;
};

void open_writer(journal_writer &to, const ledger &target, std::size_t count) {
    to.journal = table_open(target.journal, RowExclusiveLock);
    open_indexes(to.indexes, to.journal, target.layout.unique_index);
    to.slot_count = std::min(count, rows_at_once);
    to.slots = static_cast<TupleTableSlot **>(palloc(sizeof(TupleTableSlot *) * to.slot_count));
    for (std::size_t i = 0; i < to.slot_count; ++i)
        to.slots[i] = table_slot_create(to.journal, nullptr);
}

void close_writer(journal_writer &to) {
    for (std::size_t i = 0; i < to.slot_count; ++i)
        ExecDropSingleTupleTableSlot(to.slots[i]);
    close_indexes(to.indexes);
    table_close(to.journal, NoLock); // ours until the end of the transaction
}

void fill_slot(TupleTableSlot *slot, const ledger &target, const journal_row &row) {
    ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = Datum{0};
        slot->tts_isnull[i] = true; // columns that were dropped
    }
    for (std::size_t i = 0; i < journal_column_count; ++i) {
        const AttrNumber number = target.layout.numbers[i];
        if (number == 0)
            continue;
        Assert(number > 0 && number <= slot->tts_tupleDescriptor->natts);
        slot->tts_values[number - 1] = row.values[i];
        slot->tts_isnull[number - 1] = row.nulls[i];
    }
    ExecStoreVirtualTuple(slot);
    slot->tts_tableOid = target.journal;
}

// How many of these rows go in at once.
std::size_t some_of(const journal_row *rows, std::size_t count) {
    const std::size_t memo = position_of(journal_column::memo);
    std::size_t bytes = 0;
    std::size_t some = 0;
    while (some < std::min(count, rows_at_once) && bytes < bytes_at_once) {
        if (!rows[some].nulls[memo])
            bytes += VARSIZE_ANY(DatumGetPointer(rows[some].values[memo]));
        ++some;
    }
    return some;
}

// As COPY does it (CopyMultiInsertBufferFlush), but for the indexes, which are asked as ON CONFLICT
// DO NOTHING asks them. How many it came to: all, or the position of the first one whose id is
// there already. Then that row and some after it are in the heap all the same.
std::size_t append_some(const ledger &target, const journal_row *rows, std::size_t count) {
    journal_writer to{};
    open_writer(to, target, count);
    for (std::size_t written = 0; written < count;) {
        CHECK_FOR_INTERRUPTS();
        const std::size_t some = some_of(rows + written, count - written);
        for (std::size_t i = 0; i < some; ++i)
            fill_slot(to.slots[i], target, rows[written + i]);
        // What a long memo is made into goes with the next row's reset.
        MemoryContext context = MemoryContextSwitchTo(GetPerTupleMemoryContext(to.indexes.estate));
        table_multi_insert(to.journal, to.slots, static_cast<int>(some), GetCurrentCommandId(true),
                           0, nullptr);
        MemoryContextSwitchTo(context);
        for (std::size_t i = 0; i < some; ++i)
            if (!add_to_indexes(to.indexes, to.slots[i])) {
                close_writer(to);
                return written + i;
            }
        written += some;
    }
    close_writer(to);
    return count;
}

// One after the other, until one is there already; how many that is.
std::size_t append_singly(const ledger &target, const journal_row *rows, std::size_t count) {
    journal_writer to{};
    open_writer(to, target, 1);
    std::size_t written = 0;
    for (; written < count; ++written) {
        CHECK_FOR_INTERRUPTS();
        fill_slot(to.slots[0], target, rows[written]);
        if (!insert_if_new(to.indexes, to.journal, to.slots[0]))
            break;
    }
    close_writer(to);
    return written;
}

// Many rows are taken back as a savepoint is, in a subtransaction as PL/pgSQL makes one for
// EXCEPTION. An error ends the subtransaction too: whoever catches it knows of no other than his
// own.
bool append_in_subtransaction(const ledger &target, const journal_row *rows, std::size_t count) {
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    bool all_new = false;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        all_new = append_some(target, rows, count) == count;
        if (all_new)
            ReleaseCurrentSubTransaction();
        else
            RollbackAndReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        // The error stays where it is, as in PostgresMain(): a copy of it (CopyErrorData) would be
        // in the memory of the call, and that is gone before it is told.
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
        PG_RE_THROW();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return all_new;
}

} // namespace guarded
} // namespace

bool may_put_into_journal(const ledger &target) {
    const Oid journal = target.journal;
    const Oid owner = target.journal_owner;
    return target.not_heap_journal == nullptr && pg_call([=] {
               constexpr AclMode needed = ACL_INSERT | ACL_SELECT;
               return pg_class_aclmask(journal, owner, needed, ACLMASK_ALL) == needed;
           });
}

bool put_into_journal(const ledger &target, const journal_row &row) {
    return put_some_into_journal(target, {&row, 1}) == 1;
}

bool put_all_into_journal(const ledger &target, std::span<const journal_row> rows) {
    Assert(are_in_order(rows));
    const ledger *where = &target;
    const journal_row *first = rows.data();
    const std::size_t count = rows.size();
    return pg_call([=] { return append_in_subtransaction(*where, first, count); });
}

std::size_t put_some_into_journal(const ledger &target, std::span<const journal_row> rows) {
    Assert(are_in_order(rows));
    const ledger *where = &target;
    const journal_row *first = rows.data();
    const std::size_t count = rows.size();
    return pg_call([=] { return append_singly(*where, first, count); });
}

std::size_t put_many_into_journal(const ledger &target, std::span<const journal_row> rows) {
    Assert(are_in_order(rows));
    const ledger *where = &target;
    const journal_row *first = rows.data();
    const std::size_t count = rows.size();
    return pg_call([=] { return append_some(*where, first, count); });
}

} // namespace lockstep
