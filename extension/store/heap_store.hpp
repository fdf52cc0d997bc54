// Plain tables, directly: one look into the key's index and one lock a row, one HOT update a row
// where the page has room, and the journal's rows in one go.
#pragma once

#include "store/store.hpp"

#include <vector>

namespace lockstep {

class heap_store final : public store {
  public:
    explicit heap_store(const ledger &in) : in_(in) {}

    bool lock(std::span<const Datum> keys, std::span<batch_row> rows) override;
    // A single booking meets its rivals at the index, and can be taken back there.
    [[nodiscard]] bool wants_second_look(std::size_t movements) const override {
        return movements > 1;
    }
    void book(std::span<const new_booking> bookings, TimestampTz booked_at,
              std::span<const batch_row> rows, const rival_questions &rivals) override;

  private:
    bool append(std::span<const new_booking> bookings, TimestampTz booked_at,
                const rival_questions &rivals);

    const ledger &in_;
    std::vector<Datum> keys_;
    std::vector<ItemPointerData> places_; // where the locked rows are
};

// Writes bookings to the journal in one go. The position of the first one whose id another
// transaction has, their number where there is none: such a conflict cannot be mended, the
// transaction has to end.
[[nodiscard]] std::size_t append_to_journal(const ledger &in, std::span<const new_booking> bookings,
                                            TimestampTz booked_at);

// Writes one booking; false, and nothing is written, where another transaction has its id.
[[nodiscard]] bool append_or_leave(const ledger &in, const new_booking &booking,
                                   TimestampTz booked_at);

} // namespace lockstep
