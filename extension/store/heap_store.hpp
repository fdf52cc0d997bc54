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
    [[nodiscard]] bool may_change_rows() const override { return false; }
    std::vector<std::optional<row_state>> write(std::span<const batch_row> rows) override;
    bool append_if_new(const new_booking &booking, TimestampTz booked_at) override;
    std::vector<std::size_t> append(std::span<const new_booking> bookings,
                                    TimestampTz booked_at) override;
    [[nodiscard]] bool conflict_ends_call() const override { return true; }

  private:
    const ledger &in_;
    std::vector<Datum> keys_;
    std::vector<ItemPointerData> places_; // where the locked rows are
};

} // namespace lockstep
