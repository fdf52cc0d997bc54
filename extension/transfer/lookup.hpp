// What the journal says of request ids: many are looked up in one pass through its unique index.
#pragma once

#include "transfer/recorded_movement.hpp"

#include <span>

namespace lockstep {

struct found_row; // a journal row as the look-up copied it

// The answers, by the position of the id that was asked for.
class journal_answers {
  public:
    journal_answers(const ledger &target, found_row *const *rows, std::span<const uuid_bytes> ids)
        : target_(&target), rows_(rows), ids_(ids) {}

    // Whether the id is not known at all: neither booked nor in flight.
    [[nodiscard]] bool is_new(std::size_t position) const { return rows_[position] == nullptr; }
    // The transaction that is booking it just now, InvalidTransactionId where there is none.
    [[nodiscard]] TransactionId in_flight(std::size_t position) const;
    // Its movement; nothing where it is new or in flight. 40001 where that one is committed but
    // newer than the transaction's snapshot.
    [[nodiscard]] std::optional<recorded_movement> booked(std::size_t position) const;
    // What is being booked in flight.
    [[nodiscard]] recorded_movement in_flight_movement(std::size_t position) const;

  private:
    const ledger *target_;
    found_row *const *rows_;
    std::span<const uuid_bytes> ids_;
};

// Whether the journal has the id by this transaction.
[[nodiscard]] bool is_ours(const ledger &target, const uuid_bytes &id);

// Waits until the transaction has ended.
void wait_for_transaction(TransactionId other);

// Looks the ids up, without waiting; they come sorted, and must live as long as the answers. Sees
// what is committed now, whatever the transaction's snapshot says. What is found is copied into the
// current memory context.
enum class whose_rows { of_all, of_others, ours }; // ours: what this transaction has booked
[[nodiscard]] journal_answers look_up(const ledger &target, std::span<const uuid_bytes> ids,
                                      whose_rows whose = whose_rows::of_all);
journal_answers look_up(const ledger &target, call_vector<uuid_bytes> &&ids,
                        whose_rows whose = whose_rows::of_all) = delete; // they would be gone

} // namespace lockstep
