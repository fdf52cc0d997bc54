#include "locking/order_guard.hpp"

#include "core/sql_error.hpp"
#include "pg/backoff_settings.hpp"
#include "pg/settings.hpp"
#include "pg/slots.hpp"
#include "pg/transaction_ends.h"
#include "pg/values.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace lockstep {

namespace {

bool is_on = true;

// The highest row that was held when a subtransaction last took one, also where it took a lower
// one, in the transaction's own memory. The highest of all is the last.
struct held_row {
    SubTransactionId owner;
    Oid table;
    Oid type; // of the key
    Oid collation;
    uint32 type_hash;
    bool by_value;
    int16 length;
    int column_count;
    AttrNumber columns[INDEX_MAX_KEYS];
    Datum key;
    held_row *before; // the highest one before it, which those around it have taken
};

held_row *highest = nullptr;

// Whether an answer was booked that no row lines up.
bool has_answer = false;

void release(held_row *row) {
    if (!row->by_value)
        pfree(DatumGetPointer(row->key));
    pfree(row);
}

// What a subtransaction has taken is the transaction's once it has committed, and is the highest.
// Not its parent's: who waits for such a row waits for the end of all (XactLockTableWait), even
// where the parent is rolled back first.
void hand_over(SubTransactionId own) {
    if (highest == nullptr || highest->owner != own)
        return;
    while (highest->before != nullptr)
        release(std::exchange(highest->before, highest->before->before));
    highest->owner = TopSubTransactionId;
}

void give_back(SubTransactionId own) {
    while (highest != nullptr && highest->owner == own)
        release(std::exchange(highest, highest->before));
}

extern "C" void order_guard_at_end(XactEvent event) {
    switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
    case XACT_EVENT_PARALLEL_COMMIT:
    case XACT_EVENT_PARALLEL_ABORT:
        // Their memory goes with the transaction.
        highest = nullptr;
        has_answer = false;
        break;
    default: break;
    }
}

extern "C" void order_guard_at_subtransaction_end(SubXactEvent event, SubTransactionId own,
                                                  SubTransactionId /*parent*/) {
    if (event == SUBXACT_EVENT_COMMIT_SUB)
        hand_over(own);
    else if (event == SUBXACT_EVENT_ABORT_SUB)
        give_back(own);
}

transaction_subscriber ends{order_guard_at_end, order_guard_at_subtransaction_end, nullptr};

inline namespace guarded {

void take(const keyed_table &target, Datum key) {
    const MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
    const Datum copy = copied_value(key, target.key.by_value, target.key.length);
    const SubTransactionId own = GetCurrentSubTransactionId();
    if (highest == nullptr || highest->owner != own) {
        auto *fresh = static_cast<held_row *>(palloc0(sizeof(held_row)));
        fresh->owner = own;
        fresh->before = highest;
        highest = fresh;
    } else if (!highest->by_value) {
        pfree(DatumGetPointer(highest->key));
    }
    MemoryContextSwitchTo(before);
    highest->table = target.table;
    highest->type = target.key.type;
    highest->collation = target.key.collation;
    highest->type_hash = target.key.type_hash;
    highest->by_value = target.key.by_value;
    highest->length = target.key.length;
    highest->column_count = target.key_count;
    std::copy_n(target.key_columns, target.key_count, highest->columns);
    highest->key = copy;
}

// A row was taken that is not above the highest one.
void take_lower() {
    const SubTransactionId own = GetCurrentSubTransactionId();
    if (highest->owner == own)
        return;
    const MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
    auto *copy = static_cast<held_row *>(palloc(sizeof(held_row)));
    *copy = *highest;
    copy->owner = own;
    copy->key = copied_value(highest->key, highest->by_value, highest->length);
    copy->before = highest;
    highest = copy;
    MemoryContextSwitchTo(before);
}

// Null where the table is gone, dropped by this transaction.
const char *name_of_table(Oid table, const char **schema) {
    const char *name = get_rel_name(table);
    *schema = name == nullptr ? nullptr : get_namespace_name(get_rel_namespace(table));
    return *schema == nullptr ? nullptr : name;
}

bool is_name_above(Oid table, Oid held) {
    const char *schema = nullptr;
    const char *name = name_of_table(table, &schema);
    const char *held_schema = nullptr;
    const char *held_name = name_of_table(held, &held_schema);
    if (name == nullptr || held_name == nullptr)
        return false;
    const int way = strcmp(schema, held_schema);
    return way != 0 ? way > 0 : strcmp(name, held_name) > 0;
}

// Whoever asks now need not be the one who has taken the row: a function may have done it with
// other rights.
bool may_read_keys(const held_row &row) {
    const Oid user = GetUserId();
    if (pg_class_aclcheck(row.table, user, ACL_SELECT) != ACLCHECK_OK)
        for (int i = 0; i < row.column_count; ++i)
            if (pg_attribute_aclcheck(row.table, row.columns[i], user, ACL_SELECT) != ACLCHECK_OK)
                return false;
    return check_enable_rls(row.table, InvalidOid, true) != RLS_ENABLED;
}

// Null where the caller may not know it, or this transaction has dropped its table or type.
char *key_as_text(const held_row &row) {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(row.table)) ||
        !SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(row.type)) || !may_read_keys(row))
        return nullptr;
    Oid function = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(row.type, &function, &is_varlena);
    return OidOutputFunctionCall(function, row.key);
}

// As an element of a json object.
char *as_json(const char *text) {
    StringInfoData out;
    initStringInfo(&out);
    escape_json(&out, text);
    return out.data;
}

} // namespace guarded

// Whether keys are what they were when the row was taken: the table's owner may have made others of
// them, in this very transaction.
bool has_same_keys(const keyed_table &target, const held_row &row) {
    return row.type == target.key.type && row.collation == target.key.collation &&
           row.type_hash == target.key.type_hash &&
           std::equal(row.columns, row.columns + row.column_count, target.key_columns,
                      target.key_columns + target.key_count);
}

// How many of these keys, in canonical order, are not above all that is held.
std::size_t not_above(const keyed_table &target, std::span<const Datum> keys) {
    if (has_answer)
        return keys.size();
    if (highest == nullptr)
        return 0;
    if (highest->table != target.table)
        return is_table_above(target.table, highest->table) ? 0 : keys.size();
    if (!has_same_keys(target, *highest))
        return keys.size();
    const auto above = std::ranges::partition_point(
        keys, [&](Datum key) { return compare_keys(target.key, key, highest->key) <= 0; });
    return static_cast<std::size_t>(above - keys.begin());
}

std::string held_text() {
    if (highest == nullptr)
        return "an answer to a request whose row was not there";
    const held_row *row = highest;
    const char *key = pg_call([row] { return key_as_text(*row); });
    return (key != nullptr ? std::string{"row "} + key : std::string{"a row"}) + " of table \"" +
           shown_name_of(row->table, "?") + "\"";
}

// In a weaker strength, where somebody asks for it and it is busy.
bool is_highest(const keyed_table &target, Datum key) {
    return highest != nullptr && highest->table == target.table &&
           has_same_keys(target, *highest) && compare_keys(target.key, key, highest->key) == 0;
}

[[noreturn]] void refuse(std::string message, int ahead, const std::string &hint,
                         const std::string &held = held_text()) {
    const char *text = held.c_str();
    const std::string json = copied(pg_call([text] { return as_json(text); }));
    throw sql_error(state::lock_order, std::move(message),
                    contention_detail(ahead, wait_behind(ahead), "\"held\": " + json + ", "),
                    "Run the whole transaction again. " + hint);
}

} // namespace

void install_order_guard() {
    define_flag("lockstep.order_guard",
                "Never waits for a row that is not above those that the transaction holds.",
                &is_on);
    lockstep_subscribe_to_transaction_ends(&ends);
}

bool is_table_above(Oid table, Oid other) {
    return pg_call([=] { return is_name_above(table, other); });
}

std::size_t rows_to_try(const keyed_table &target, std::span<const Datum> keys) {
    return is_on ? not_above(target, keys) : 0;
}

void hold_row(const keyed_table &target, Datum key) {
    if (has_answer)
        return; // all are tried
    const keyed_table *where = &target;
    if (not_above(target, {&key, 1}) == 0)
        pg_call([=] { take(*where, key); });
    else
        pg_call([] { take_lower(); });
}

patience patience_of_tries() {
    if (!is_on)
        return patience::endless;
    return highest == nullptr && !has_answer ? patience::some : patience::none;
}

void hold_answer_without_row() {
    has_answer = true;
}

void check_may_wait(const uuid_bytes &id, bool without_row, bool has_booked) {
    const bool holds_nothing = highest == nullptr && !has_booked;
    if (!is_on || (!has_answer && (holds_nothing || without_row)))
        return;
    refuse("request id \"" + id_text(id) + "\" is being booked, and may not be waited for", 1,
           "An id is waited for where nothing is held yet.");
}

void check_may_wait_for_request(const uuid_bytes &id,
                                const std::optional<std::string> &held_above) {
    const bool holds_rows = highest != nullptr || has_answer;
    if (!is_on || (!holds_rows && !held_above))
        return;
    refuse("request id \"" + id_text(id) + "\" is being worked on, and may not be waited for", 1,
           "Call once_begin before rows are taken, and for several ids in their order.",
           holds_rows ? held_text() : *held_above);
}

void refuse_to_wait(const keyed_table &target, Datum key, int ahead) {
    refuse(row_text(target, key) + " is busy, and may not be waited for", std::max(ahead, 1),
           is_highest(target, key)
               ? "The row is held already: ask for the strongest lock of it at first."
               : "Rows are waited for that are locked at first by lockstep.lock_all(), by one "
                 "batch, or in the order of their keys.");
}

} // namespace lockstep
