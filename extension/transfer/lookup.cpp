#include "transfer/lookup.hpp"

#include "core/sql_error.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/numerics.hpp"
#include "pg/slots.hpp"
#include "pg/values.hpp"
#include "transfer/contention.hpp"

#include <array>
#include <cstddef>

namespace lockstep {

// A journal row, in the memory context of the look-up.
struct found_row {
    TransactionId in_flight; // while it is valid, nothing else counts
    bool too_new;            // committed after the transaction's snapshot was taken
    journal_row row;         // what a replay needs of it
};

namespace {

inline namespace guarded {

void read_row(journal_row &row, TupleTableSlot *slot, const journal_layout &layout) {
    constexpr std::array told{journal_column::from_key,   journal_column::to_key,
                              journal_column::amount,     journal_column::from_balance,
                              journal_column::to_balance, journal_column::refusal,
                              journal_column::booked_at,  journal_column::at_most};
    for (const journal_column one : told) {
        const std::size_t i = position_of(one);
        row.nulls[i] = true;
        if (layout.numbers[i] == 0) // an older journal
            continue;
        row.values[i] = copied_value(slot, layout.numbers[i], &row.nulls[i]);
    }
}

bool newer_than_snapshot(Relation journal, TupleTableSlot *slot) {
    // A row of our own is ours, even where the statement's snapshot is older than it.
    if (!IsolationUsesXactSnapshot() || is_of_this_transaction(slot))
        return false;
    return !table_tuple_satisfies_snapshot(journal, slot, GetTransactionSnapshot());
}

// An open scan of the journal by request id.
struct id_scan {
    Relation journal;
    Relation index;
    TupleTableSlot *slot;
    IndexScanDesc scan;
    SnapshotData dirty; // shows what is being booked just now, and by whom
};

void look_for(id_scan &by_id, StrategyNumber strategy, Oid function, const uuid_bytes &id) {
    ScanKeyData key;
    ScanKeyInit(&key, 1, strategy, function, PointerGetDatum(id.data()));
    index_rescan(by_id.scan, &key, 1, nullptr, 0);
}

// Null where the id is not there.
found_row *row_of(id_scan &by_id, const uuid_bytes &id, const journal_layout &layout,
                  whose_rows whose) {
    found_row row{};
    bool found = false;
    look_for(by_id, BTEqualStrategyNumber, F_UUID_EQ, id);
    while (index_getnext_slot(by_id.scan, ForwardScanDirection, by_id.slot)) {
        if (TransactionIdIsValid(by_id.dirty.xmin) && by_id.dirty.speculativeToken != 0) {
            // It may be taken back in a moment; and its session does not wait meanwhile.
            SpeculativeInsertionWait(by_id.dirty.xmin, by_id.dirty.speculativeToken);
            found = false;
            look_for(by_id, BTEqualStrategyNumber, F_UUID_EQ, id);
            continue;
        }
        if (whose != whose_rows::of_all &&
            is_of_this_transaction(by_id.slot) != (whose == whose_rows::ours))
            continue;
        row = {};
        found = true;
        row.in_flight =
            TransactionIdIsValid(by_id.dirty.xmin) ? by_id.dirty.xmin : by_id.dirty.xmax;
        row.too_new =
            !TransactionIdIsValid(row.in_flight) && newer_than_snapshot(by_id.journal, by_id.slot);
        read_row(row.row, by_id.slot, layout);
        // Sessions that meet over an id may all have a row there for a moment: one that is booked
        // counts more than one in flight.
        if (!TransactionIdIsValid(row.in_flight))
            break;
    }
    if (!found)
        return nullptr;
    auto *copy = static_cast<found_row *>(palloc(sizeof(found_row)));
    *copy = row;
    return copy;
}

// Whether there is an id at or above this one. Ids that lead with the time are above all others
// when they are new: then one look answers for all of them.
bool reaches(id_scan &by_id, const uuid_bytes &id) {
    look_for(by_id, BTGreaterEqualStrategyNumber, F_UUID_GE, id);
    return index_getnext_slot(by_id.scan, ForwardScanDirection, by_id.slot);
}

void open_id_scan(id_scan &by_id, const ledger &target) {
    by_id.journal = table_open(target.journal, RowExclusiveLock);
    by_id.index = index_open(target.layout.unique_index, AccessShareLock);
    by_id.slot = table_slot_create(by_id.journal, nullptr);
    InitDirtySnapshot(by_id.dirty);
    by_id.scan = version::begin_index_scan(by_id.journal, by_id.index, &by_id.dirty, 1);
}

void close_id_scan(id_scan &by_id) {
    index_endscan(by_id.scan);
    ExecDropSingleTupleTableSlot(by_id.slot);
    index_close(by_id.index, AccessShareLock);
    // The journal is ours until the end of the transaction, as an INSERT's would be.
    table_close(by_id.journal, NoLock);
}

found_row **rows_of(const ledger &target, const uuid_bytes *ids, std::size_t count,
                    whose_rows whose) {
    auto **rows = static_cast<found_row **>(MemoryContextAllocExtended(
        CurrentMemoryContext, sizeof(void *) * count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    id_scan by_id{};
    open_id_scan(by_id, target);
    constexpr std::size_t worth_a_look = 4;
    if (count < worth_a_look || reaches(by_id, ids[0]))
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_FOR_INTERRUPTS();
            rows[i] = row_of(by_id, ids[i], target.layout, whose);
        }
    close_id_scan(by_id);
    return rows;
}

} // namespace guarded

recorded_movement movement_of(const ledger &target, const journal_row &row, const uuid_bytes &id) {
    recorded_movement found{};
    found.request_id = id;
    found.from = row.get(journal_column::from_key);
    found.to = row.get(journal_column::to_key);
    const auto read = [&](const char *what, Datum numeric) {
        if (const auto amount = read_numeric(numeric))
            return *amount;
        throw unreadable(std::string{what} + " of request id \"" + id_text(id) +
                             "\" in the journal of " + table_text(target),
                         numeric);
    };
    found.kept_amount = row.get(journal_column::amount);
    found.amount = read(name_of(journal_column::amount), found.kept_amount.value());
    if (const auto at_most = row.get(journal_column::at_most))
        found.at_most = read(name_of(journal_column::at_most), *at_most);
    found.from_balance = row.get(journal_column::from_balance);
    found.to_balance = row.get(journal_column::to_balance);
    if (const auto refusal = row.get(journal_column::refusal)) {
        const Datum told = *refusal;
        found.refusal = copied(pg_call([told] { return TextDatumGetCString(told); }));
    }
    found.booked_at = DatumGetTimestampTz(row.get(journal_column::booked_at).value());
    return found;
}

} // namespace

TransactionId journal_answers::in_flight(std::size_t position) const {
    const found_row *row = rows_[position];
    return row == nullptr ? InvalidTransactionId : row->in_flight;
}

std::optional<recorded_movement> journal_answers::booked(std::size_t position) const {
    const found_row *row = rows_[position];
    if (row == nullptr || TransactionIdIsValid(row->in_flight))
        return std::nullopt;
    if (row->too_new)
        lose_race_for_id(*target_, row->row.get(journal_column::from_key),
                         row->row.get(journal_column::to_key));
    return movement_of(*target_, row->row, ids_[position]);
}

recorded_movement journal_answers::in_flight_movement(std::size_t position) const {
    return movement_of(*target_, rows_[position]->row, ids_[position]);
}

bool is_ours(const ledger &target, const uuid_bytes &id) {
    return !look_up(target, {&id, 1}, whose_rows::ours).is_new(0);
}

void wait_for_transaction(TransactionId other) {
    pg_call([other] { XactLockTableWait(other, nullptr, nullptr, XLTW_None); });
}

journal_answers look_up(const ledger &target, std::span<const uuid_bytes> ids, whose_rows whose) {
    ledger_cache::require_unchanged(target);
    const ledger *where = &target;
    const uuid_bytes *first = ids.data();
    const std::size_t count = ids.size();
    return {target, pg_call([=] { return rows_of(*where, first, count, whose); }), ids};
}

} // namespace lockstep
