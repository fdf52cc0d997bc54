#include "store/journal.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "store/contention.hpp"
#include "store/lookup.hpp"
#include "store/spi_journal.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace lockstep {

namespace {

// Keeps our advisory locks apart from pg_advisory_lock's, whose fourth field is 1 or 2.
constexpr uint16 lock_field = 0x4c53;

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
    if (!std::exchange(held_, false))
        return;
    const LOCKTAG *tag = &tag_;
    pg_call([tag] { static_cast<void>(LockRelease(tag, ExclusiveLock, false)); });
}

void request_lock::take_if_free() {
    const LOCKTAG *tag = &tag_;
    held_ = held_ || pg_call([tag] {
                return LockAcquire(tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
            });
}

booking_state find_booking(const ledger &in, const uuid_bytes &id) {
    const journal_answers found = look_up(in, {&id, 1});
    const TransactionId in_flight = found.in_flight(0);
    return {found.booked(0), in_flight};
}

void wait_for_transaction(TransactionId other) {
    pg_call([other] { XactLockTableWait(other, nullptr, nullptr, XLTW_None); });
}

void write_booking(const ledger &in, const booking &row, std::optional<Datum> memo) {
    const std::string refusal = row.refusal.value_or("");
    const new_booking one{&row.request_id,
                          false,
                          false,
                          0,
                          row.from,
                          row.to,
                          numeric_from_money(row.amount),
                          numeric_of(row.from_balance),
                          numeric_of(row.to_balance),
                          row.refusal ? refusal.c_str() : nullptr,
                          memo};
    if (write_one_to_journal(in, one, row.booked_at))
        return;
    if (const booking_state found = find_booking(in, row.request_id);
        found.booked || TransactionIdIsValid(found.in_flight))
        lose_race_for_id(in, row.from, row.to);
    throw sql_error(state::triggered_action_exception,
                    std::string{"the booking of a movement of ledger \""} + in.name +
                        "\" was suppressed",
                    "A trigger of the journal left it out.");
}

} // namespace lockstep
