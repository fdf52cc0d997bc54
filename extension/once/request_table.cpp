#include "once/request_table.hpp"

#include "ledger/registration.hpp"
#include "pg/new_row.hpp"
#include "pg/role.hpp"
#include "pg/slots.hpp"
#include "pg/spi.hpp"

namespace lockstep {

namespace {

// The columns, in the order of the install script.
enum field : AttrNumber { f_request_id = 1, f_requester, f_fingerprint, f_finished_at, f_result };
constexpr int field_count = 5;

struct found_request {
    TransactionId in_flight;
    bool too_new;
    Datum values[field_count];
    bool nulls[field_count];
};

inline namespace guarded {

[[noreturn]] void refuse_other_version() {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the lockstep module and its SQL objects differ in version"),
                    errhint("Run ALTER EXTENSION lockstep UPDATE.")));
    pg_unreachable();
}

// Its owner may have changed it.
bool is_as_installed(Relation table) {
    const TupleDesc columns = RelationGetDescr(table);
    if (table->rd_rel->relkind != RELKIND_RELATION || columns->natts != field_count)
        return false;
    constexpr Oid types[field_count] = {UUIDOID, InvalidOid, TEXTOID, TIMESTAMPTZOID, JSONBOID};
    for (int i = 0; i < field_count; ++i) {
        const Form_pg_attribute one = TupleDescAttr(columns, i);
        // The role is of a type of ours, which is as an OID.
        if (one->attisdropped ||
            (OidIsValid(types[i]) ? one->atttypid != types[i] : one->attlen != sizeof(Oid)))
            return false;
    }
    return true;
}

bool decides(Relation index, Relation table) {
    return index->rd_index->indrelid == RelationGetRelid(table) && index->rd_index->indisunique &&
           index->rd_index->indisvalid && index->rd_index->indimmediate &&
           index->rd_index->indnkeyatts == 2 && index->rd_index->indkey.values[0] == f_request_id &&
           index->rd_index->indkey.values[1] == f_requester;
}

struct open_table {
    Relation table;
    Relation index;
};

open_table open_requests() {
    const Oid schema = get_namespace_oid("lockstep", false);
    const Oid oid = get_relname_relid("once_request", schema);
    const Oid index = get_relname_relid("once_request_by_id", schema);
    if (!OidIsValid(oid))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation \"lockstep.once_request\" does not exist"),
                        errhint("CREATE EXTENSION lockstep makes it.")));
    if (!OidIsValid(index))
        refuse_other_version();
    open_table opened{};
    opened.table = table_open(oid, RowExclusiveLock);
    opened.index = index_open(index, AccessShareLock);
    if (!is_as_installed(opened.table) || !decides(opened.index, opened.table))
        refuse_other_version();
    return opened;
}

void close_requests(const open_table &opened) {
    index_close(opened.index, AccessShareLock);
    table_close(opened.table, NoLock); // ours until the end of the transaction
}

// A scan of what is there just now, committed or not.
struct key_scan {
    open_table at;
    TupleTableSlot *slot;
    IndexScanDesc scan;
    ScanKeyData keys[2];
    SnapshotData dirty;
};

void rescan(key_scan &by_key) {
    index_rescan(by_key.scan, by_key.keys, 2, nullptr, 0);
}

void begin_scan(key_scan &by_key, const request_key &key) {
    by_key.at = open_requests();
    by_key.slot = table_slot_create(by_key.at.table, nullptr);
    InitDirtySnapshot(by_key.dirty);
    by_key.scan = version::begin_index_scan(by_key.at.table, by_key.at.index, &by_key.dirty, 2);
    ScanKeyInit(&by_key.keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ,
                PointerGetDatum(key.id.data()));
    ScanKeyInit(&by_key.keys[1], 2, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(key.requester));
    rescan(by_key);
}

void end_scan(key_scan &by_key) {
    index_endscan(by_key.scan);
    ExecDropSingleTupleTableSlot(by_key.slot);
    close_requests(by_key.at);
}

// The next row with the key. One that may be taken back in a moment is waited for: its session does
// not wait meanwhile.
bool next_row(key_scan &by_key) {
    while (index_getnext_slot(by_key.scan, ForwardScanDirection, by_key.slot)) {
        if (!TransactionIdIsValid(by_key.dirty.xmin) || by_key.dirty.speculativeToken == 0)
            return true;
        SpeculativeInsertionWait(by_key.dirty.xmin, by_key.dirty.speculativeToken);
        rescan(by_key);
    }
    return false;
}

bool newer_than_snapshot(const key_scan &by_key) {
    if (!IsolationUsesXactSnapshot() || is_of_this_transaction(by_key.slot))
        return false;
    return !table_tuple_satisfies_snapshot(by_key.at.table, by_key.slot, GetTransactionSnapshot());
}

// Null where there is none. A row that is committed counts more than one in flight.
found_request *look_up(const request_key &key) {
    key_scan by_key{};
    begin_scan(by_key, key);
    found_request *found = nullptr;
    while (next_row(by_key)) {
        if (found == nullptr)
            found = static_cast<found_request *>(palloc0(sizeof(found_request)));
        found->in_flight = by_key.dirty.xmin;
        if (TransactionIdIsValid(found->in_flight))
            continue;
        found->too_new = newer_than_snapshot(by_key);
        for (AttrNumber i = 0; i < field_count; ++i)
            found->values[i] =
                copied_value(by_key.slot, static_cast<AttrNumber>(i + 1), &found->nulls[i]);
        break;
    }
    end_scan(by_key);
    return found;
}

TransactionId who_is_at(const request_key &key) {
    key_scan by_key{};
    begin_scan(by_key, key);
    TransactionId in_flight = InvalidTransactionId;
    while (next_row(by_key)) {
        in_flight = by_key.dirty.xmin;
        if (!TransactionIdIsValid(in_flight))
            break;
    }
    end_scan(by_key);
    return in_flight;
}

void fill(TupleTableSlot *slot, const Datum *values, const bool *nulls) {
    ExecClearTuple(slot);
    for (int i = 0; i < field_count; ++i) {
        slot->tts_values[i] = values[i];
        slot->tts_isnull[i] = nulls[i];
    }
    ExecStoreVirtualTuple(slot);
}

bool add(const request_key &key, bool has_fingerprint, Datum fingerprint) {
    const open_table at = open_requests();
    CheckCmdReplicaIdentity(at.table, CMD_INSERT);
    index_writer indexes{};
    open_indexes(indexes, at.table, RelationGetRelid(at.index));
    TupleTableSlot *slot = table_slot_create(at.table, nullptr);
    const Datum values[field_count] = {PointerGetDatum(key.id.data()),
                                       ObjectIdGetDatum(key.requester), fingerprint, Datum{0},
                                       Datum{0}};
    const bool nulls[field_count] = {false, false, !has_fingerprint, true, true};
    fill(slot, values, nulls);
    slot->tts_tableOid = RelationGetRelid(at.table);
    const bool is_new = insert_if_new(indexes, at.table, slot);
    ExecDropSingleTupleTableSlot(slot);
    close_indexes(indexes);
    close_requests(at);
    // once_finish may be of the same statement.
    CommandCounterIncrement();
    return is_new;
}

void replace(Relation table, TupleTableSlot *old, Oid unique_index, Datum result) {
    CheckCmdReplicaIdentity(table, CMD_UPDATE);
    index_writer indexes{};
    open_indexes(indexes, table, unique_index);
    TupleTableSlot *fresh = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
    slot_getallattrs(old);
    Datum values[field_count];
    bool nulls[field_count];
    for (int i = 0; i < field_count; ++i) {
        values[i] = old->tts_values[i];
        nulls[i] = old->tts_isnull[i];
    }
    values[f_finished_at - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
    values[f_result - 1] = result;
    nulls[f_finished_at - 1] = nulls[f_result - 1] = false;
    fill(fresh, values, nulls);
    fresh->tts_tableOid = RelationGetRelid(table);
    auto needed = version::no_indexes;
    ItemPointerData place = old->tts_tid;
    const TM_Result written = version::replace_row(table, &place, fresh, GetCurrentCommandId(true),
                                                   indexes.estate->es_snapshot, &needed);
    if (written != TM_Ok)
        elog(ERROR, "unexpected result of writing a request's row: %d", static_cast<int>(written));
    if (needed != version::no_indexes)
        version::update_indexes(indexes.result, fresh, indexes.estate, needed);
    ExecDropSingleTupleTableSlot(fresh);
    close_indexes(indexes);
    CommandCounterIncrement();
}

// False where there is no row of this transaction's.
bool write(const request_key &key, Datum result) {
    key_scan by_key{};
    begin_scan(by_key, key);
    bool is_own = false;
    while (!is_own && next_row(by_key))
        is_own = is_of_this_transaction(by_key.slot);
    if (is_own)
        replace(by_key.at.table, by_key.slot, RelationGetRelid(by_key.at.index), result);
    end_scan(by_key);
    return is_own;
}

} // namespace guarded
} // namespace

std::optional<known_request> find_request(const request_key &key) {
    const found_request *row = pg_call([&key] { return look_up(key); });
    if (row == nullptr)
        return std::nullopt;
    const auto value = [row](field which) -> std::optional<Datum> {
        if (row->nulls[which - 1])
            return std::nullopt;
        return row->values[which - 1];
    };
    if (TransactionIdIsValid(row->in_flight))
        return known_request{row->in_flight, false, std::nullopt, std::nullopt};
    return known_request{InvalidTransactionId, row->too_new, value(f_fingerprint), value(f_result)};
}

TransactionId in_flight_request(const request_key &key) {
    return pg_call([&key] { return who_is_at(key); });
}

bool add_request(const request_key &key, std::optional<Datum> fingerprint) {
    const bool has_fingerprint = fingerprint.has_value();
    const Datum text = fingerprint.value_or(Datum{0});
    return pg_call([&key, has_fingerprint, text] { return add(key, has_fingerprint, text); });
}

void write_result(const request_key &key, Datum result) {
    if (!pg_call([&key, result] { return write(key, result); }))
        throw sql_error(state::prerequisite_state,
                        "the row of request id \"" + id_text(key.id) + "\" is gone",
                        "Table lockstep.once_request was changed by hand.");
}

std::uint64_t delete_finished_before(Datum length_of_time) {
    spi_session session;
    as_role owner(registration_owner());
    constexpr Oid types[] = {INTERVALOID};
    // Two sessions may meet the rows in different orders: neither waits. What this transaction
    // itself has finished is not older than it.
    SPIPlanPtr plan = prepare_kept(
        "WITH old AS MATERIALIZED (SELECT r.ctid AS place FROM ONLY lockstep.once_request AS r "
        "WHERE r.finished_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1) "
        "FOR UPDATE SKIP LOCKED) "
        "DELETE FROM ONLY lockstep.once_request AS r USING old "
        "WHERE r.ctid OPERATOR(pg_catalog.=) old.place",
        types);
    spi_parameters values;
    values.add(length_of_time);
    const std::uint64_t count = execute(plan, values);
    pg_call([plan] { SPI_freeplan(plan); });
    owner.leave();
    session.finish();
    return count;
}

} // namespace lockstep
