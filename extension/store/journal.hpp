// Bookings under their request ids: the lock that lines up calls with one id, the look-up that
// waits for a booking in flight, and the one row that each movement leaves.
#pragma once

#include "store/ledger.hpp"

#include "core/request_id.hpp"

#include <optional>
#include <string>

namespace lockstep {

// One row of the journal.
struct booking {
    uuid_bytes request_id;
    std::optional<Datum> from; // keys of the ledger's type
    std::optional<Datum> to;
    money amount;
    std::optional<money> from_balance;
    std::optional<money> to_balance;
    std::optional<std::string> refusal; // the SQLSTATE of a kept refusal
    TimestampTz booked_at;
};

// Lines up the calls with one request id, from the look-up to the journal row. From then on the row
// itself tells others to wait, so a transaction with any number of movements holds one such lock at
// a time. Waits as any heavyweight lock does: lock_timeout, deadlock detection, pg_locks (as an
// advisory lock). On an error the server releases it with the (sub)transaction.
class request_lock {
  public:
    request_lock(Oid journal, const uuid_bytes &id);
    // Nothing where it is not held.
    void release();
    // Takes it again, unless others have it by now: whoever holds rows never waits for it.
    void take_if_free();

  private:
    LOCKTAG tag_;
    bool held_ = true;
};

// What is known of an id: booked; or being booked just now by another transaction; or neither.
struct booking_state {
    std::optional<booking> booked;
    TransactionId in_flight; // InvalidTransactionId where there is none
};

// Looks the id up, without waiting. 40001 where the booking is committed but newer than the
// transaction's snapshot.
[[nodiscard]] booking_state find_booking(const ledger &in, const uuid_bytes &id);

// Waits until the transaction has ended; call without a request_lock, lest it waits for ours.
void wait_for_transaction(TransactionId other);

// Writes the row, as the journal's owner. Needs an open SPI session. 40001 where the id was booked
// in spite of the lock, 09000 where a trigger of the journal swallowed or changed it.
void write_booking(const ledger &in, const booking &row, std::optional<Datum> memo);

} // namespace lockstep
