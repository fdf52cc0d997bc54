// Where the rows of a ledger and its journal live, as a batch of movements sees it: two steps, with
// the reckoning between them. A single movement is a batch of one.
#pragma once

#include "store/ledger.hpp"

#include "core/batch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace lockstep {

// A journal row to be written. Trivially copyable: it is read inside the guard.
struct new_booking {
    const uuid_bytes *id;
    bool id_is_ours;  // made by this call: nobody else can have it
    bool is_lined_up; // a locked row of the movement puts others with the same request in line
    std::int64_t entry;
    std::optional<Datum> from; // keys of the ledger's type
    std::optional<Datum> to;
    Datum amount; // a numeric, as the balances are
    std::optional<Datum> from_balance;
    std::optional<Datum> to_balance;
    const char *refusal; // the SQLSTATE of a kept refusal, else null
    std::optional<Datum> memo;
};

// What a store asks when another transaction has the id of a booking, by its position.
struct rival_questions {
    // Whether the journal answers the request now, so that it is not to be booked; false where the
    // other one is gone. Waits for it, but where it is booking something else: that is LS010.
    std::function<bool(std::size_t)> is_answered;
    // Says why the call cannot go on: LS010 mostly. Always throws.
    std::function<void(std::size_t)> refuse;
};

class store {
  public:
    store() = default;
    virtual ~store() = default;
    store(const store &) = delete;
    store &operator=(const store &) = delete;

    // Locks the rows FOR NO KEY UPDATE, one after the other, and reads them as they stand then; the
    // state of a row that the caller has not is left empty. Keys are distinct and in canonical
    // order. False where this store must not write one of them after all.
    [[nodiscard]] virtual bool lock(std::span<const Datum> keys, std::span<batch_row> rows) = 0;

    // Whether the ids of so many movements have to be looked up once more when the rows are locked.
    [[nodiscard]] virtual bool wants_second_look(std::size_t movements) const = 0;

    // Writes what the items have made of the rows that were locked, and their bookings, which come
    // in the order of their ids. A booking whose request turns out to be answered is left out.
    virtual void book(std::span<const new_booking> bookings, TimestampTz booked_at,
                      std::span<const batch_row> rows, const rival_questions &rivals) = 0;
};

// The store that serves this call. Needs an open SPI session, and `in` for as long as it lives.
[[nodiscard]] std::unique_ptr<store> store_for(const ledger &in);

// The store that serves any call.
[[nodiscard]] std::unique_ptr<store> statements_for(const ledger &in);

// Numbers for so many bookings, in the order of booking; to be drawn while the rows are locked.
[[nodiscard]] std::vector<std::int64_t> next_entries(const ledger &in, std::size_t count);

} // namespace lockstep
