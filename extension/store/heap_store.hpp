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
    outcome book(std::span<const new_booking> bookings, TimestampTz booked_at,
                 std::span<const batch_row> rows) override;

  private:
    const ledger &in_;
    std::vector<Datum> keys_;
    std::vector<ItemPointerData> places_; // where the locked rows are
};

// Writes bookings directly; false where an id was booked by another transaction in the meantime,
// and nothing is left of what was written.
[[nodiscard]] bool append_to_heap(const ledger &in, std::span<const new_booking> bookings,
                                  TimestampTz booked_at);

} // namespace lockstep
