// The journal's rows in one go: multi-insert into the heap, then each index in the order of the
// ids.
#include "store/heap_store.hpp"

#include <algorithm>
#include <cstddef>

namespace lockstep {

namespace {

// Some pages full; more at once gains nothing, and costs as many slots.
constexpr std::size_t rows_at_once = 250;

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

void fill_slot(TupleTableSlot *slot, const ledger &in, const new_booking &row,
               TimestampTz booked_at) {
    const journal_columns &columns = in.booked;
    ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = Datum{0};
        slot->tts_isnull[i] = true; // columns that were dropped
    }
    set(slot, columns.request_id, PointerGetDatum(row.id->data()));
    set(slot, columns.entry, Int64GetDatum(row.entry));
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
    slot->tts_tableOid = in.journal;
}

// Adds the row of a slot to the indexes, without waiting; false where its id is there already.
bool add_to_indexes(journal_writer &to, TupleTableSlot *slot) {
    const bool is_new = version::insert_into_indexes(to.result, slot, to.estate, to.arbiters);
    ResetPerTupleExprContext(to.estate);
    return is_new;
}

std::size_t append_all(const ledger &in, const new_booking *rows, std::size_t count,
                       TimestampTz booked_at) {
    journal_writer to{};
    open_writer(to, in, count);
    for (std::size_t written = 0; written < count;) {
        CHECK_FOR_INTERRUPTS();
        const std::size_t some = std::min(count - written, rows_at_once);
        for (std::size_t i = 0; i < some; ++i)
            fill_slot(to.slots[i], in, rows[written + i], booked_at);
        table_multi_insert(to.journal, to.slots, static_cast<int>(some), GetCurrentCommandId(true),
                           0, nullptr);
        for (std::size_t i = 0; i < some; ++i)
            if (!add_to_indexes(to, to.slots[i])) {
                close_writer(to);
                return written + i;
            }
        written += some;
    }
    close_writer(to);
    return count;
}

// As ON CONFLICT DO NOTHING does it: what is taken back was never there for anybody, not for
// logical decoding either.
bool append_one(const ledger &in, const new_booking &row, TimestampTz booked_at) {
    journal_writer to{};
    open_writer(to, in, 1);
    TupleTableSlot *slot = to.slots[0];
    fill_slot(slot, in, row, booked_at);
    const TransactionId own = GetCurrentTransactionId();
    const uint32 token = SpeculativeInsertionLockAcquire(own);
    table_tuple_insert_speculative(to.journal, slot, GetCurrentCommandId(true), 0, nullptr, token);
    const bool is_new = add_to_indexes(to, slot);
    table_tuple_complete_speculative(to.journal, slot, token, is_new);
    SpeculativeInsertionLockRelease(own);
    close_writer(to);
    return is_new;
}

} // namespace

bool heap_store::append_if_new(const new_booking &booking, TimestampTz booked_at) {
    const ledger *in = &in_;
    const new_booking *one = &booking;
    return pg_call([=] { return append_one(*in, *one, booked_at); });
}

std::vector<std::size_t> heap_store::append(std::span<const new_booking> bookings,
                                            TimestampTz booked_at) {
    if (bookings.empty())
        return {};
    const ledger *in = &in_;
    const new_booking *first = bookings.data();
    const std::size_t count = bookings.size();
    const std::size_t written = pg_call([=] { return append_all(*in, first, count, booked_at); });
    if (written == count)
        return {};
    return {written};
}

} // namespace lockstep
