// The journal's rows in one go: multi-insert into the heap, then each index in the order of the
// ids.
#include "store/heap_store.hpp"

#include "store/fault.hpp"
#include "store/lookup.hpp"

#include <algorithm>
#include <cstddef>

namespace lockstep {

namespace {

// As COPY does; more at once gains nothing.
constexpr std::size_t rows_at_once = 1000;

// C from here to the end of the namespace: it runs inside the guard.

struct journal_writer {
    Relation journal;
    EState *estate;
    ResultRelInfo *result;
    List *arbiters; // the index that decides whether an id is booked
    TupleTableSlot **slots;
    std::size_t slot_count;
};

void open_writer(journal_writer &to, const ledger &in, std::size_t count) {
    to.journal = table_open(in.journal, RowExclusiveLock);
    to.estate = CreateExecutorState();
    to.estate->es_snapshot = GetActiveSnapshot();
    to.result = makeNode(ResultRelInfo);
    InitResultRelInfo(to.result, to.journal, 0, nullptr, 0);
    ExecOpenIndices(to.result, false);
    to.arbiters = list_make1_oid(in.booked.unique_index);
    to.slot_count = std::min(count, rows_at_once);
    to.slots = static_cast<TupleTableSlot **>(palloc(sizeof(TupleTableSlot *) * to.slot_count));
    for (std::size_t i = 0; i < to.slot_count; ++i)
        to.slots[i] = table_slot_create(to.journal, nullptr);
}

void close_writer(journal_writer &to) {
    for (std::size_t i = 0; i < to.slot_count; ++i)
        ExecDropSingleTupleTableSlot(to.slots[i]);
    ExecCloseIndices(to.result);
    table_close(to.journal, NoLock); // ours until the end of the transaction
    FreeExecutorState(to.estate);
}

void set(TupleTableSlot *slot, AttrNumber number, const std::optional<Datum> &value) {
    slot->tts_values[number - 1] = value ? *value : Datum{0};
    slot->tts_isnull[number - 1] = !value.has_value();
}

void fill_slot(TupleTableSlot *slot, const journal_columns &columns, const new_booking &row,
               TimestampTz booked_at, std::int64_t entry) {
    ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = Datum{0};
        slot->tts_isnull[i] = true; // columns that were dropped
    }
    set(slot, columns.request_id, PointerGetDatum(row.id->data()));
    set(slot, columns.entry, Int64GetDatum(entry));
    set(slot, columns.booked_at, TimestampTzGetDatum(booked_at));
    set(slot, columns.from_key, row.from);
    set(slot, columns.to_key, row.to);
    set(slot, columns.amount, row.amount);
    set(slot, columns.from_balance, row.from_balance);
    set(slot, columns.to_balance, row.to_balance);
    if (row.refusal != nullptr)
        set(slot, columns.refusal, CStringGetTextDatum(row.refusal));
    set(slot, columns.memo, row.memo);
    ExecStoreVirtualTuple(slot);
}

// Adds the rows of the slots to the indexes; false at the first id that is there already. Ids come
// in order over all of the batch, and the first conflict ends it: so of two sessions that meet, one
// goes on. The index takes what another loser has taken back for a conflict too, until that one has
// ended. To wait for it would be a deadlock where it waits for us; so it is looked at once more. Of
// two at once the later one surely sees the earlier.
bool add_to_indexes(journal_writer &to, const ledger &in, const new_booking *rows,
                    std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_new =
            version::insert_into_indexes(to.result, to.slots[i], to.estate, to.arbiters);
        ResetPerTupleExprContext(to.estate);
        if (!is_new && is_booked_elsewhere(in, *rows[i].id, to.slots[i]->tts_tid))
            return false;
    }
    return true;
}

// What a lost race has left is deleted again: for others it never was.
void take_back(journal_writer &to, ItemPointerData *places, std::size_t count) {
    CommandCounterIncrement();
    for (std::size_t i = 0; i < count; ++i)
        simple_table_tuple_delete(to.journal, &places[i], GetActiveSnapshot());
    CommandCounterIncrement();
}

bool append_all(const ledger &in, const new_booking *rows, std::size_t count,
                TimestampTz booked_at) {
    // In the order of booking, while the rows are locked.
    auto *entries = static_cast<std::int64_t *>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(std::int64_t) * count));
    for (std::size_t i = 0; i < count; ++i)
        entries[i] = nextval_internal(in.booked.entry_sequence, false);
    auto *places = static_cast<ItemPointerData *>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ItemPointerData) * count));

    journal_writer to{};
    open_writer(to, in, count);
    bool all_new = true;
    std::size_t written = 0;
    while (all_new && written < count) {
        CHECK_FOR_INTERRUPTS();
        const std::size_t some = std::min(count - written, rows_at_once);
        for (std::size_t i = 0; i < some; ++i) {
            const new_booking &row = rows[written + i];
            fill_slot(to.slots[i], in.booked, row, booked_at, entries[row.rank]);
        }
        table_multi_insert(to.journal, to.slots, static_cast<int>(some), GetCurrentCommandId(true),
                           0, nullptr);
        for (std::size_t i = 0; i < some; ++i)
            places[written + i] = to.slots[i]->tts_tid;
        all_new = add_to_indexes(to, in, rows + written, some);
        written += some;
    }
    if (!all_new)
        take_back(to, places, written);
    close_writer(to);
    return all_new;
}

} // namespace

bool append_to_heap(const ledger &in, std::span<const new_booking> bookings,
                    TimestampTz booked_at) {
    if (bookings.empty())
        return true;
    const ledger *where = &in;
    const new_booking *first = bookings.data();
    const std::size_t count = bookings.size();
    const bool done = pg_call([=] { return append_all(*where, first, count, booked_at); });
    if (done)
        reach(fault_point::after_journal);
    return done;
}

} // namespace lockstep
