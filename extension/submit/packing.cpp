#include "submit/packing.hpp"

#include "ledger/choice.hpp"
#include "pg/row_key.hpp"
#include "pg/values.hpp"

#include <bit>
#include <cstring>
#include <string_view>

namespace lockstep {

namespace {

static_assert(sizeof(submit_group) == 32, "a group is compared bytewise");

uint64 hash_of(const void *bytes, std::size_t length, uint64 seed) {
    return hash_bytes_extended(static_cast<const unsigned char *>(bytes), static_cast<int>(length),
                               seed);
}

template <class Value>
uint64 mixed(uint64 hash, const Value &value) {
    return hash_of(&value, sizeof(value), hash);
}

// What decides how a movement is done and kept, beside the ledger.
uint64 settings_hash() {
    uint64 hash = hash_of(namespace_search_path, std::strlen(namespace_search_path), 0);
    hash = mixed(hash, synchronous_commit);
    hash = mixed(hash, SessionReplicationRole);
    // Drivers set what is left of a deadline. A leader whose time is up disturbs his group, so it
    // is of those who have about as much.
    hash = mixed(hash, std::bit_width(static_cast<uint32>(StatementTimeout)));
    return mixed(hash, LockTimeout);
}

uint64 shape_of(const key_type &key, uint64 hash) {
    hash = mixed(mixed(hash, key.type), key.collation);
    if (key.row != nullptr)
        for (int i = 0; i < key.row->count; ++i)
            hash = shape_of(key.row->parts[i], hash);
    return hash;
}

uint64 shape_of(const ledger &target) {
    uint64 hash = shape_of(target.key, 0);
    hash = mixed(mixed(hash, target.journal), static_cast<int>(target.amount.stored));
    hash = mixed(mixed(hash, target.amount.precision), target.amount.scale);
    return mixed(hash, target.amount.has_limits);
}

// A row without a type's name has a number that is its session's own: the same key is the same
// bytes in all of them only without it. Late minor releases keep there, and in t_ctid, which
// version of its type a row is of; without that they do not ask.
void forget_row_type(submit_key &key) {
    alignas(HeapTupleHeaderData) char bytes[sizeof(key.bytes)];
    std::memcpy(bytes, key.bytes, sizeof(bytes));
    auto *header = reinterpret_cast<HeapTupleHeader>(bytes);
    HeapTupleHeaderSetTypeId(header, RECORDOID);
    HeapTupleHeaderSetTypMod(header, -1);
    ItemPointerSetInvalid(&header->t_ctid);
    std::memcpy(key.bytes, bytes, sizeof(bytes));
}

// The bytes of a value; false where they are too many. Null is a length of -1.
bool pack_value(std::optional<Datum> value, const key_type &type, submit_key &to) {
    to.length = -1;
    if (!value)
        return true;
    if (type.by_value) {
        to.length = sizeof(Datum);
        std::memcpy(to.bytes, &*value, sizeof(Datum));
        return true;
    }
    const Datum given = *value;
    const int16 length = type.length;
    const Size size = pg_call([=] { return datumGetSize(given, false, length); });
    if (size > sizeof(to.bytes) || (length == -1 && VARATT_IS_EXTERNAL(DatumGetPointer(given))))
        return false;
    to.length = static_cast<int16_t>(size);
    std::memcpy(to.bytes, DatumGetPointer(given), size);
    if (type.row != nullptr) {
        if (!VARATT_IS_4B_U(DatumGetPointer(given)))
            return false;
        forget_row_type(to);
    }
    return true;
}

inline namespace guarded {

Datum copy_of_bytes(const char *bytes, int length) {
    auto *copy = static_cast<char *>(palloc(static_cast<Size>(length)));
    std::memcpy(copy, bytes, static_cast<std::size_t>(length));
    return PointerGetDatum(copy);
}

} // namespace guarded

std::optional<Datum> unpack_value(const submit_key &from, const key_type &type) {
    if (from.length < 0)
        return std::nullopt;
    if (type.by_value) {
        Datum value{};
        std::memcpy(&value, from.bytes, sizeof(value));
        return value;
    }
    const char *bytes = from.bytes;
    const int length = from.length;
    const key_row *row = type.row;
    return pg_call([=] {
        const Datum copy = copy_of_bytes(bytes, length);
        if (row != nullptr) {
            HeapTupleHeader header = DatumGetHeapTupleHeader(copy);
            const TupleDesc layout = layout_of(*row);
            HeapTupleHeaderSetTypeId(header, layout->tdtypeid);
            HeapTupleHeaderSetTypMod(header, layout->tdtypmod);
        }
        return copy;
    });
}

uint32 row_hash(const ledger &target, const submit_key &key) {
    if (key.length < 0)
        return 0;
    const uint64 hash =
        hash_of(key.bytes, static_cast<std::size_t>(key.length), mixed(MyDatabaseId, target.table));
    const auto low = static_cast<uint32>(hash);
    return low != 0 ? low : 1;
}

bool pack_memo(std::optional<Datum> memo, submit_call &to) {
    to.memo_length = -1;
    if (!memo)
        return true;
    const Datum given = *memo;
    const auto *plain = pg_call([given] { return PG_DETOAST_DATUM(given); });
    const Size size = VARSIZE(plain);
    if (size > sizeof(to.memo))
        return false;
    to.memo_length = static_cast<int16_t>(size);
    std::memcpy(to.memo, plain, size);
    return true;
}

bool pack_numeric(std::optional<Datum> value, submit_numeric &to) {
    to.length = -1;
    if (!value)
        return true;
    const Datum given = *value;
    const auto *plain = pg_call([given] { return PG_DETOAST_DATUM(given); });
    const Size size = VARSIZE(plain);
    if (size > sizeof(to.bytes))
        return false;
    to.length = static_cast<int16_t>(size);
    std::memcpy(to.bytes, plain, size);
    return true;
}

std::optional<Datum> unpack_numeric(const submit_numeric &from) {
    if (from.length < 0)
        return std::nullopt;
    const char *bytes = from.bytes;
    const int length = from.length;
    return pg_call([=] { return copy_of_bytes(bytes, length); });
}

template <std::size_t Size>
bool pack_text(std::string_view text, char (&to)[Size]) {
    if (text.size() >= Size)
        return false;
    std::memcpy(to, text.data(), text.size());
    to[text.size()] = '\0';
    return true;
}

// The states of refusals are constants, which errors and answers point to; null for another.
const char *known_state(const char *text) {
    for (const char *one :
         {state::insufficient_funds, state::above_ceiling, state::row_not_found, state::row_frozen,
          state::rows_do_not_match, state::version_changed, state::already_refused,
          state::request_id_reused, state::serialization_failure})
        if (std::string_view{one} == text)
            return one;
    return nullptr;
}

void pack_error(submit_answer &to, const sql_error &error) {
    const bool fits = known_state(error.sqlstate()) != nullptr &&
                      pack_text(error.sqlstate(), to.sqlstate) &&
                      pack_text(error.what(), to.message) && pack_text(error.detail(), to.detail) &&
                      pack_text(error.hint(), to.hint);
    // Nothing was done: he finds it out himself.
    to.fate = fits ? SUBMIT_REFUSED : SUBMIT_BUSY;
}

} // namespace

submit_group group_of(const ledger &target) {
    return {MyDatabaseId,       target.table,    GetUserId(),
            GetSessionUserId(), settings_hash(), shape_of(target)};
}

bool pack(submit_call &to, const ledger &target, const movement_request &request) {
    if (request.expected_version || (!request.from && !request.to) || !request.request_id ||
        (request.at_most && !target.layout.has(journal_column::at_most)) ||
        (request.from && request.to && compare_keys(target.key, *request.from, *request.to) == 0))
        return false;
    const auto amount = request.amount.coefficient();
    if (!amount || !money::of_parts(*amount, request.amount.scale()) ||
        !pack_value(request.from, target.key, to.from) ||
        !pack_value(request.to, target.key, to.to) || !pack_memo(request.memo, to))
        return false;
    to.group = group_of(target);
    to.amount = *amount;
    to.scale = request.amount.scale();
    to.return_refusals = request.return_refusals;
    to.at_most = request.at_most;
    std::memcpy(to.request_id, request.request_id->data(), sizeof(to.request_id));
    to.rows[0] = row_hash(target, to.from);
    to.rows[1] = row_hash(target, to.to);
    return true;
}

movement_request unpack(const submit_call &call, const ledger &target) {
    movement_request request{};
    request.from = unpack_value(call.from, target.key);
    request.to = unpack_value(call.to, target.key);
    request.amount = money::of_parts(call.amount, call.scale).value();
    uuid_bytes id{};
    std::memcpy(id.data(), call.request_id, id.size());
    request.request_id = id;
    if (call.memo_length >= 0) {
        const char *bytes = call.memo;
        const int length = call.memo_length;
        request.memo = pg_call([=] { return copy_of_bytes(bytes, length); });
    }
    request.return_refusals = call.return_refusals;
    request.at_most = call.at_most;
    return request;
}

void pack_answer(submit_answer &to, const group_answer &answer, int group_size) {
    const movement_result &result = answer.result;
    to.group_size = group_size;
    if (answer.error)
        return pack_error(to, *answer.error);
    if (result.status == movement_status::left || result.status == movement_status::pending) {
        to.fate = SUBMIT_BUSY;
        return;
    }
    to.status = static_cast<uint8_t>(result.status);
    to.booked_at = result.booked_at;
    const bool fits = (result.sqlstate == nullptr || known_state(result.sqlstate) != nullptr) &&
                      pack_text(result.sqlstate != nullptr ? result.sqlstate : "", to.sqlstate) &&
                      pack_numeric(result.amount, to.amount) &&
                      pack_numeric(result.from_balance, to.from_balance) &&
                      pack_numeric(result.to_balance, to.to_balance);
    to.fate = fits ? SUBMIT_ANSWERED : SUBMIT_NOT_TOLD;
}

movement_result unpack_answer(const submit_answer &answer, const uuid_bytes &id) {
    movement_result result{};
    result.request_id = id;
    result.status = static_cast<movement_status>(answer.status);
    if (answer.sqlstate[0] != '\0')
        result.sqlstate = known_state(answer.sqlstate);
    result.amount = unpack_numeric(answer.amount);
    result.from_balance = unpack_numeric(answer.from_balance);
    result.to_balance = unpack_numeric(answer.to_balance);
    result.booked_at = answer.booked_at;
    return result;
}

sql_error unpack_error(const submit_answer &answer) {
    return {known_state(answer.sqlstate), answer.message, answer.detail, answer.hint};
}

} // namespace lockstep
