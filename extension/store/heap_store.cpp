#include "store/heap_store.hpp"

#include "ledger/ledger_cache.hpp"
#include "pg/scan_key.hpp"
#include "pg/slots.hpp"
#include "store/expectations.hpp"
#include "store/heap_journal.hpp"
#include "store/matching.hpp"
#include "store/rows.hpp"

#include <algorithm>
#include <cstddef>

namespace lockstep {

namespace {

// A row at work, as the guarded loops see it.
struct locked_row {
    bool found;
    bool is_busy; // others have it, and it was not waited for
    bool is_own;  // written by this transaction before
    ItemPointerData place;
    raw_row raw;
};

// A row to be written: where it is, and what changes.
struct written_row {
    ItemPointerData place;
    Datum amount;
    Datum version;
    bool has_version; // false where the ledger has none, or the row's is null
};

inline namespace guarded {

void copy_values(const ledger &target, TupleTableSlot *slot, raw_row &raw) {
    for (int i = 0; i < row_columns; ++i) {
        const AttrNumber number = target.columns[i].number;
        raw.nulls[i] = true;
        if (number != 0)
            raw.values[i] = copied_value(slot, number, &raw.nulls[i]);
    }
    raw.matched = target.match_count > 0 ? matched_in_slot(target, slot) : nullptr;
}

// An open look into the key's index.
struct key_scan {
    Relation table;
    Relation index;
    TupleTableSlot *seen;
    TupleTableSlot *locked;
    Snapshot snapshot;
    IndexScanDesc scan;
    ScanKeyData *keys; // one a column
};

void open_scan(key_scan &by_key, const ledger &target) {
    // As a statement would: what this transaction has done so far is seen, what others have
    // committed so far too.
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    by_key.snapshot = GetActiveSnapshot();
    by_key.table = table_open(target.table, NoLock); // locked by ledger_cache::find
    by_key.index = index_open(target.key_index, AccessShareLock);
    by_key.seen = table_slot_create(by_key.table, nullptr);
    by_key.locked = table_slot_create(by_key.table, nullptr);
    by_key.keys = look_for_equal(by_key.index, target.key_count);
    by_key.scan =
        version::begin_index_scan(by_key.table, by_key.index, by_key.snapshot, target.key_count);
}

void close_scan(key_scan &by_key) {
    index_endscan(by_key.scan);
    ExecDropSingleTupleTableSlot(by_key.seen);
    ExecDropSingleTupleTableSlot(by_key.locked);
    index_close(by_key.index, AccessShareLock);
    table_close(by_key.table, NoLock);
    PopActiveSnapshot();
}

// Whether the version that was locked still has the key that was looked for.
bool has_key(const key_scan &by_key, const ledger &target) {
    for (int i = 0; i < target.key_count; ++i) {
        ScanKeyData &wanted = by_key.keys[i];
        bool is_null = false;
        const Datum found =
            slot_getattr(by_key.locked, target.key_columns[target.key_places[i]], &is_null);
        if (is_null || !DatumGetBool(FunctionCall2Coll(&wanted.sk_func, wanted.sk_collation, found,
                                                       wanted.sk_argument)))
            return false;
    }
    return true;
}

// Locks one row in its newest version, as ExecLockRows() (nodeLockRows.c) does for FOR NO KEY
// UPDATE; but without TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, by which newer versions are waited
// for whatever `wait` says (pg/short_waits). Only a lock that an update in progress may stand
// beside needs it; this one is had when there is none, and the newest version is found after that.
void lock_one(key_scan &by_key, const ledger &target, Datum key, LockWaitPolicy wait,
              locked_row &row) {
    row.found = false;
    row.is_busy = false;
    look_at(by_key.keys, target.key, target.key_places, key);
    index_rescan(by_key.scan, by_key.keys, target.key_count, nullptr, 0);
    if (!index_getnext_slot(by_key.scan, ForwardScanDirection, by_key.seen))
        return;
    ItemPointerData place = by_key.seen->tts_tid;
    TM_FailureData failure{};
    const TM_Result result = table_tuple_lock(by_key.table, &place, by_key.snapshot, by_key.locked,
                                              GetCurrentCommandId(true), LockTupleNoKeyExclusive,
                                              wait, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    // ExecLockRows() passes over what is gone, and what its own command has changed.
    if (result == TM_Deleted || result == TM_SelfModified)
        return;
    if (result == TM_WouldBlock) {
        row.is_busy = true;
        return;
    }
    if (result != TM_Ok)
        elog(ERROR, "unexpected result of locking a row: %d", static_cast<int>(result));
    // The second look at the condition, which EvalPlanQual() has for a statement.
    if (failure.traversed && !has_key(by_key, target))
        return;
    row.found = true;
    row.is_own = is_of_this_transaction(by_key.locked);
    row.place = by_key.locked->tts_tid;
    copy_values(target, by_key.locked, row.raw);
}

// What is done about a row that was tried and is busy.
enum class when_busy { stop, pass };

// The number of the row at which it has stopped; `count` where it has not.
std::size_t lock_all(const ledger &target, const Datum *keys, locked_row *rows, std::size_t count,
                     std::size_t tries, when_busy then) {
    key_scan by_key{};
    open_scan(by_key, target);
    std::size_t done = 0;
    for (; done < count; ++done) {
        CHECK_FOR_INTERRUPTS();
        lock_one(by_key, target, keys[done], done < tries ? LockWaitSkip : LockWaitBlock,
                 rows[done]);
        if (rows[done].is_busy && then == when_busy::stop)
            break;
    }
    close_scan(by_key);
    return done;
}

// The old row with the two columns changed, in a slot that borrows the rest from it.
void fill_slot(TupleTableSlot *fresh, TupleTableSlot *old, const ledger &target,
               const written_row &row) {
    slot_getallattrs(old);
    const int count = old->tts_tupleDescriptor->natts;
    ExecClearTuple(fresh);
    for (int i = 0; i < count; ++i) {
        fresh->tts_values[i] = old->tts_values[i];
        fresh->tts_isnull[i] = old->tts_isnull[i];
    }
    fresh->tts_values[target.column_of(row_column::amount).number - 1] = row.amount;
    if (row.has_version)
        fresh->tts_values[target.column_of(row_column::version).number - 1] = row.version;
    ExecStoreVirtualTuple(fresh);
    fresh->tts_tableOid = target.table; // a CHECK may ask
}

// What ExecUpdate() (nodeModifyTable.c) does for a plain table: constraints, the new version, and
// the indexes where it is no HOT update.
void write_all(const ledger &target, const written_row *rows, std::size_t count) {
    Relation table = table_open(target.table, NoLock);
    CheckCmdReplicaIdentity(table, CMD_UPDATE);
    // A CHECK may look at tables, and has to see what a statement would see now.
    const bool checks = table->rd_att->constr != nullptr && table->rd_att->constr->num_check > 0;
    if (checks) {
        CommandCounterIncrement();
        PushActiveSnapshot(GetTransactionSnapshot());
    }
    // One command, as of a statement: what code of a CHECK does meanwhile comes after it.
    const CommandId command = GetCurrentCommandId(true);
    EState *estate = CreateExecutorState();
    estate->es_snapshot = GetActiveSnapshot(); // the rows are known by their places
    ResultRelInfo *result = makeNode(ResultRelInfo);
    InitResultRelInfo(result, table, 0, nullptr, 0);
    bool indexes_open = false; // HOT updates need none
    TupleTableSlot *old = table_slot_create(table, nullptr);
    TupleTableSlot *fresh = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
    for (std::size_t i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        ItemPointerData place = rows[i].place;
        if (!table_tuple_fetch_row_version(table, &place, SnapshotAny, old))
            elog(ERROR, "a locked row of \"%s\" is gone",
                 shown_name_in_guard(target.table, target.name));
        Assert(is_locked_here(old));
        fill_slot(fresh, old, target, rows[i]);
        if (table->rd_att->constr != nullptr)
            ExecConstraints(result, fresh, estate);
        auto needed = version::no_indexes;
        const TM_Result result_of_write =
            version::replace_row(table, &place, fresh, command, estate->es_snapshot, &needed);
        if (result_of_write == TM_SelfModified)
            ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                            errmsg("a row of ledger \"%s\" was changed by code that its own "
                                   "update has run",
                                   shown_name_in_guard(target.table, target.name))));
        if (result_of_write != TM_Ok)
            elog(ERROR, "unexpected result of writing a row: %d",
                 static_cast<int>(result_of_write));
        if (needed != version::no_indexes) {
            if (!indexes_open)
                ExecOpenIndices(result, false);
            indexes_open = true;
            version::update_indexes(result, fresh, estate, needed);
        }
        ResetPerTupleExprContext(estate);
    }
    ExecDropSingleTupleTableSlot(old);
    ExecDropSingleTupleTableSlot(fresh);
    if (indexes_open)
        ExecCloseIndices(result);
    table_close(table, NoLock);
    FreeExecutorState(estate);
    if (checks)
        PopActiveSnapshot();
    CommandCounterIncrement();
}

} // namespace guarded
} // namespace

lock_result heap_store::lock(std::span<const Datum> keys, std::span<batch_row> rows,
                             std::size_t tries) {
    return lock_and_read(keys, rows, tries, {});
}

bool heap_store::lock_free_ones(std::span<const Datum> keys, std::span<batch_row> rows,
                                std::span<bool> busy) {
    Assert(busy.size() == keys.size());
    return lock_and_read(keys, rows, keys.size(), busy).is_served;
}

lock_result heap_store::lock_and_read(std::span<const Datum> keys, std::span<batch_row> rows,
                                      std::size_t tries, std::span<bool> busy) {
    Assert(rows.size() == keys.size());
    Assert(are_in_order(target_, keys));
    ledger_cache::require_unchanged(target_);
    keys_.assign(keys.begin(), keys.end());
    call_vector<locked_row> found(keys.size());
    const ledger *target = &target_;
    const Datum *first = keys.data();
    locked_row *out = found.data();
    const std::size_t count = keys.size();
    const auto then = busy.empty() ? when_busy::stop : when_busy::pass;
    const auto stopped = pg_call([=] { return lock_all(*target, first, out, count, tries, then); });
    if (stopped < count)
        return {.busy = stopped};

    places_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        places_[i] = found[i].place;
        rows[i] = {};
        if (!busy.empty())
            busy[i] = found[i].is_busy;
        if (!found[i].found)
            continue;
        // The check of a foreign key on a row that this transaction has made may still be to come,
        // and is for that version of the row alone: an update has to ask for it anew.
        if (found[i].is_own && target_.refers_to_others)
            return {.is_served = false};
        rows[i].state = for_row(i, [&] { return state_of(target_, keys[i], found[i].raw); });
    }
    return {};
}

call_vector<std::optional<row_state>> heap_store::write(std::span<const batch_row> rows) {
    Assert(rows.size() == places_.size());
    Assert(are_all_found(rows));
    call_vector<written_row> changed;
    changed.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].movements == 0)
            continue;
        const row_state &state = *rows[i].state;
        const bool has_version = target_.has(row_column::version) && state.version.has_value();
        changed.push_back(
            {places_[i], amount_datum(target_, *state.amount),
             has_version ? version_datum(target_, keys_[i], *state.version) : Datum{0},
             has_version});
    }
    if (changed.empty())
        return {};
    const ledger *target = &target_;
    const written_row *first = changed.data();
    const std::size_t count = changed.size();
    pg_call([=] { write_all(*target, first, count); });
    return {};
}

bool heap_store::append_if_new(const journal_row &row) {
    return put_into_journal(target_, row);
}

bool heap_store::append_all_or_none(std::span<const journal_row> rows) {
    return put_all_into_journal(target_, rows);
}

call_vector<std::size_t> heap_store::append(std::span<const journal_row> rows) {
    if (rows.empty())
        return {};
    const std::size_t written = put_many_into_journal(target_, rows);
    if (written == rows.size())
        return {};
    return {written};
}

} // namespace lockstep
