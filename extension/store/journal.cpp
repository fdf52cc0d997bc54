#include "store/journal.hpp"

#include "core/sql_error.hpp"
#include "pg/role.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "store/journal_guard.hpp"

#include <array>
#include <cstring>

namespace lockstep {

namespace {

// Keeps our advisory locks apart from pg_advisory_lock's, whose fourth field is 1 or 2.
constexpr uint16 lock_field = 0x4c53;

// The parts of a journal row that a replay needs, as Datums in the current memory context.
struct found_row {
    bool found;
    bool too_new; // committed after the transaction's snapshot was taken
    TransactionId in_flight;
    Datum from, to, amount, from_balance, to_balance, refusal, booked_at;
    bool no_from, no_to, no_from_balance, no_to_balance, no_refusal;
};

Datum copied_value(TupleTableSlot *slot, AttrNumber number, bool *is_null) {
    const Datum value = slot_getattr(slot, number, is_null);
    if (*is_null)
        return Datum{0};
    const Form_pg_attribute attribute = TupleDescAttr(slot->tts_tupleDescriptor, number - 1);
    if (attribute->attlen == -1)
        return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
    return datumCopy(value, attribute->attbyval, attribute->attlen);
}

// C from here to the end of the look-up: it runs inside the guard.
void read_row(found_row &row, TupleTableSlot *slot, const journal_columns &columns) {
    bool never = false;
    row.from = copied_value(slot, columns.from_key, &row.no_from);
    row.to = copied_value(slot, columns.to_key, &row.no_to);
    row.amount = copied_value(slot, columns.amount, &never);
    row.from_balance = copied_value(slot, columns.from_balance, &row.no_from_balance);
    row.to_balance = copied_value(slot, columns.to_balance, &row.no_to_balance);
    row.refusal = copied_value(slot, columns.refusal, &row.no_refusal);
    row.booked_at = copied_value(slot, columns.booked_at, &never);
}

bool newer_than_snapshot(Relation journal, TupleTableSlot *slot) {
    if (!IsolationUsesXactSnapshot())
        return false;
    bool is_null = false;
    const Datum xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null);
    // A row of our own is ours, even where the statement's snapshot is older than it.
    if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)))
        return false;
    return !table_tuple_satisfies_snapshot(journal, slot, GetTransactionSnapshot());
}

found_row look_up(const ledger &in, const pg_uuid_t *id) {
    found_row row{};
    Relation journal = table_open(in.journal, RowExclusiveLock);
    Relation index = index_open(in.booked.unique_index, AccessShareLock);
    TupleTableSlot *slot = table_slot_create(journal, nullptr);
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));

    // A dirty snapshot shows what is being booked just now, and by whom.
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    IndexScanDesc scan = version::begin_index_scan(journal, index, &dirty, 1);
    index_rescan(scan, &key, 1, nullptr, 0);
    if (index_getnext_slot(scan, ForwardScanDirection, slot)) {
        row.in_flight = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
        row.found = !TransactionIdIsValid(row.in_flight);
        row.too_new = row.found && newer_than_snapshot(journal, slot);
        if (row.found && !row.too_new)
            read_row(row, slot, in.booked);
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, AccessShareLock);
    table_close(journal, NoLock); // ours until the end of the transaction, as an INSERT's would be
    return row;
}

std::optional<Datum> unless(bool is_null, Datum value) {
    if (is_null)
        return std::nullopt;
    return value;
}

std::optional<money> amount_unless(bool is_null, Datum value) {
    if (is_null)
        return std::nullopt;
    return money_from_numeric(value, "balance");
}

std::optional<Datum> numeric_of(const std::optional<money> &amount) {
    if (!amount)
        return std::nullopt;
    return numeric_from_money(*amount);
}

} // namespace

request_lock::request_lock(Oid journal, const uuid_bytes &id) : tag_{} {
    // Ids that share a hash wait for each other a moment and come to no harm.
    std::array<uint32, 4> words{};
    std::memcpy(words.data(), id.data(), id.size());
    SET_LOCKTAG_ADVISORY(tag_, MyDatabaseId, words[0] ^ words[2] ^ journal, words[1] ^ words[3],
                         lock_field);
    const LOCKTAG *tag = &tag_;
    pg_call([tag] { static_cast<void>(LockAcquire(tag, ExclusiveLock, false, false)); });
}

void request_lock::release() {
    const LOCKTAG *tag = &tag_;
    pg_call([tag] { static_cast<void>(LockRelease(tag, ExclusiveLock, false)); });
}

booking_state find_booking(const ledger &in, const uuid_bytes &id) {
    pg_uuid_t uuid{};
    std::memcpy(uuid.data, id.data(), id.size());
    const pg_uuid_t *wanted = &uuid;
    const ledger *where = &in;
    const found_row row = pg_call([=] { return look_up(*where, wanted); });
    if (!row.found)
        return {std::nullopt, row.in_flight};
    if (row.too_new)
        throw sql_error(state::serialization_failure,
                        "could not serialize access due to concurrent booking of the request id",
                        "Another transaction has booked it since this one took its snapshot.",
                        "The transaction might succeed if retried.");
    booking found{};
    found.request_id = id;
    found.from = unless(row.no_from, row.from);
    found.to = unless(row.no_to, row.to);
    found.amount = money_from_numeric(row.amount, "amount");
    found.from_balance = amount_unless(row.no_from_balance, row.from_balance);
    found.to_balance = amount_unless(row.no_to_balance, row.to_balance);
    if (!row.no_refusal) {
        const Datum refusal = row.refusal;
        found.refusal = copied(pg_call([refusal] { return TextDatumGetCString(refusal); }));
    }
    found.booked_at = DatumGetTimestampTz(row.booked_at);
    return {std::move(found), InvalidTransactionId};
}

void wait_for_transaction(TransactionId other) {
    pg_call([other] { XactLockTableWait(other, nullptr, nullptr, XLTW_None); });
}

void write_booking(const ledger &in, const booking &row, std::optional<Datum> memo) {
    spi_parameters values;
    values.add(datum_from_uuid(row.request_id));
    values.add(TimestampTzGetDatum(row.booked_at));
    values.add(row.from);
    values.add(row.to);
    values.add(numeric_from_money(row.amount));
    values.add(numeric_of(row.from_balance));
    values.add(numeric_of(row.to_balance));
    values.add(row.refusal ? std::optional{text_datum(row.refusal->c_str())} : std::nullopt);
    values.add(memo);
    as_role owner{in.journal_owner};
    const journal_writing writing{in.journal};
    const uint64 written = execute(in.book, values);
    owner.leave();
    if (written == 1)
        return;
    if (const booking_state found = find_booking(in, row.request_id);
        found.booked || TransactionIdIsValid(found.in_flight))
        throw sql_error(state::serialization_failure,
                        "could not serialize access due to concurrent booking of the request id",
                        {}, "The transaction might succeed if retried.");
    throw sql_error(state::triggered_action_exception,
                    std::string{"the booking of a movement of ledger \""} + in.name +
                        "\" was suppressed",
                    "A trigger of the journal left it out.");
}

} // namespace lockstep
