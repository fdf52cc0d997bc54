// Where the rows of a ledger and its journal live, as a batch of movements sees it: two steps, with
// the reckoning between them. A single movement is a batch of one.
#pragma once

#include "store/ledger.hpp"

#include "core/batch.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace lockstep {

// A journal row to be written. Trivially copyable: it is read inside the guard.
struct new_booking {
    const uuid_bytes *id;
    std::optional<Datum> from; // keys of the ledger's type
    std::optional<Datum> to;
    Datum amount; // a numeric, as the balances are
    std::optional<Datum> from_balance;
    std::optional<Datum> to_balance;
    const char *refusal; // the SQLSTATE of a kept refusal, else null
    std::optional<Datum> memo;
    std::uint32_t rank; // its place in the order of booking, from 0
};

class store {
  public:
    store() = default;
    virtual ~store() = default;
    store(const store &) = delete;
    store &operator=(const store &) = delete;

    // Locks the rows FOR NO KEY UPDATE, one after the other, and reads them as they stand then; the
    // state of a row that the caller has not is left empty. Keys are distinct and in canonical
    // order. True where another transaction may have changed one of them since the call began.
    [[nodiscard]] virtual bool lock(std::span<const Datum> keys, std::span<batch_row> rows) = 0;

    // What became of the bookings where another transaction has booked some of the ids.
    struct outcome {
        bool taken_back = false;       // nothing is written, nor was anything
        std::vector<std::size_t> lost; // else: the positions of these; all others are booked
    };

    // Writes what the items have made of the rows that were locked, and their bookings, which come
    // in the order of their ids.
    [[nodiscard]] virtual outcome book(std::span<const new_booking> bookings, TimestampTz booked_at,
                                       std::span<const batch_row> rows) = 0;
};

// The store that serves this call. Needs an open SPI session, and `in` for as long as it lives.
[[nodiscard]] std::unique_ptr<store> store_for(const ledger &in);

// An amount and a version as the columns keep them; 22003 where the version's column cannot.
[[nodiscard]] Datum amount_datum(const ledger &in, money amount);
[[nodiscard]] Datum version_datum(const ledger &in, Datum key, std::int64_t version);

} // namespace lockstep
