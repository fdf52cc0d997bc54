// Where the rows of a ledger and its journal live, as a batch of movements sees it: rows are locked
// and read, then written, and the journal is added to. What is decided between these steps, and
// what a conflict means, is not for a store to know.
#pragma once

#include "ledger/ledger.hpp"

#include "core/batch.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace lockstep {

// A journal row to be written. Trivially copyable: it is read inside the guard.
struct new_booking {
    const uuid_bytes *id;
    std::int64_t entry;
    std::optional<Datum> from; // keys of the ledger's type
    std::optional<Datum> to;
    Datum amount; // a numeric, as the balances are
    std::optional<Datum> from_balance;
    std::optional<Datum> to_balance;
    const char *refusal; // the SQLSTATE of a kept refusal, else null
    std::optional<Datum> memo;
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

    // Whether code of the user's may make other rows of those that are written. Then they are
    // written before they are booked; otherwise after, for until then all can be taken back.
    [[nodiscard]] virtual bool may_change_rows() const = 0;

    // Writes what the items have made of the rows that were locked. Returns the rows as they are
    // then, by number, nothing for one that the write has not named; nothing at all where they are
    // as they were to be.
    virtual std::vector<std::optional<row_state>> write(std::span<const batch_row> rows) = 0;

    // Writes a row of the journal; false, and nothing is written, where its id is there already.
    [[nodiscard]] virtual bool append_if_new(const new_booking &booking, TimestampTz booked_at) = 0;

    // Writes many, which come in the order of their ids. The positions of those that are not there
    // then: another transaction has the id, or a trigger of the journal has left them out.
    [[nodiscard]] virtual std::vector<std::size_t> append(std::span<const new_booking> bookings,
                                                          TimestampTz booked_at) = 0;

    // Whether append() cannot go on after such a conflict: the transaction has to end.
    [[nodiscard]] virtual bool conflict_ends_call() const = 0;
};

// The store that serves this call. Needs an open SPI session, and `in` for as long as it lives.
[[nodiscard]] std::unique_ptr<store> store_for(const ledger &in);

// The store that serves any call.
[[nodiscard]] std::unique_ptr<store> statements_for(const ledger &in);

// Numbers for so many bookings, in the order of booking; to be drawn while the rows are locked.
[[nodiscard]] std::vector<std::int64_t> next_entries(const ledger &in, std::size_t count);

} // namespace lockstep
