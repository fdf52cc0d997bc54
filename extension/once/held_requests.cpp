#include "once/held_requests.hpp"

#include "pg/transaction_ends.h"

#include <cstring>
#include <utility>

namespace lockstep {

namespace {

// In the transaction's own memory, the newest first.
struct held_request {
    request_key key;
    SubTransactionId made_in;
    SubTransactionId owner;       // whose rollback takes it back
    SubTransactionId finished_in; // whose rollback leaves it begun; invalid: not finished
    bool was_released;            // by a savepoint within
    bool is_gone;                 // taken back, and still waited for
    held_request *before;
};

held_request *newest = nullptr;

// Whether one was finished by another subtransaction than the one whose it was then. Where none
// was, what a subtransaction has done is at the newest ones alone: numbers of subtransactions go
// up.
bool finished_elsewhere = false;

bool may_be_of(const held_request *one, SubTransactionId own) {
    return one != nullptr && (finished_elsewhere || one->made_in >= own);
}

bool is_same(const request_key &one, const request_key &other) {
    return one.requester == other.requester && one.id == other.id;
}

held_request *find(const request_key &key) {
    held_request *one = newest;
    while (one != nullptr && (one->is_gone || !is_same(one->key, key)))
        one = one->before;
    return one;
}

// What a savepoint that is released has taken and finished becomes its parent's.
void hand_over(SubTransactionId own, SubTransactionId parent) {
    for (held_request *one = newest; may_be_of(one, own); one = one->before) {
        if (one->owner == own) {
            one->owner = parent;
            one->was_released = true;
        }
        if (one->finished_in == own)
            one->finished_in = parent;
    }
}

void give_back(SubTransactionId own) {
    for (held_request **place = &newest; may_be_of(*place, own);) {
        held_request *one = *place;
        if (one->finished_in == own)
            one->finished_in = InvalidSubTransactionId;
        if (one->owner == own && !one->was_released) {
            *place = one->before;
            pfree(one);
            continue;
        }
        one->is_gone = one->is_gone || one->owner == own;
        place = &one->before;
    }
}

inline namespace guarded {

void refuse_unfinished() {
    for (const held_request *one = newest; one != nullptr; one = one->before)
        if (!one->is_gone && one->finished_in == InvalidSubTransactionId) {
            pg_uuid_t id;
            memcpy(id.data, one->key.id.data(), sizeof(id.data));
            ereport(ERROR,
                    (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                     errmsg("request id \"%s\" was begun by once_begin and is not finished",
                            DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&id)))),
                     errdetail("The transaction is rolled back, and the id is unused."),
                     errhint("Call once_finish with its result before COMMIT.")));
        }
}

void take(const request_key &key) {
    auto *fresh = static_cast<held_request *>(
        MemoryContextAllocZero(TopTransactionContext, sizeof(held_request)));
    fresh->key = key;
    fresh->made_in = fresh->owner = GetCurrentSubTransactionId();
    fresh->before = newest;
    newest = fresh;
}

} // namespace guarded

extern "C" void held_requests_at_end(XactEvent event) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE: refuse_unfinished(); break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
        newest = nullptr; // their memory goes with the transaction
        finished_elsewhere = false;
        break;
    default: break;
    }
}

extern "C" void held_requests_at_subtransaction_end(SubXactEvent event, SubTransactionId own,
                                                    SubTransactionId parent) {
    if (event == SUBXACT_EVENT_COMMIT_SUB)
        hand_over(own, parent);
    else if (event == SUBXACT_EVENT_ABORT_SUB)
        give_back(own);
}

transaction_subscriber ends{held_requests_at_end, held_requests_at_subtransaction_end, nullptr};

// By id, then by role.
bool is_below(const request_key &one, const request_key &other) {
    return one.id != other.id ? one.id < other.id : one.requester < other.requester;
}

} // namespace

void install_held_requests() {
    lockstep_subscribe_to_transaction_ends(&ends);
}

std::optional<held_state> held_state_of(const request_key &key) noexcept {
    const held_request *one = find(key);
    if (one == nullptr)
        return std::nullopt;
    return one->finished_in == InvalidSubTransactionId ? held_state::begun : held_state::finished;
}

void hold_request(const request_key &key) {
    pg_call([&key] { take(key); });
}

void mark_finished(const request_key &key) noexcept {
    held_request *one = find(key);
    if (one == nullptr)
        return;
    one->finished_in = GetCurrentSubTransactionId();
    finished_elsewhere = finished_elsewhere || one->finished_in != one->owner;
}

std::optional<std::string> held_not_below(const request_key &key) {
    for (const held_request *one = newest; one != nullptr; one = one->before)
        if (!is_below(one->key, key))
            // Whoever asks now need not be the one who has taken it.
            return one->key.requester == key.requester ? "request id " + id_text(one->key.id)
                                                       : "a request id";
    return std::nullopt;
}

} // namespace lockstep
