// Any table, at any isolation level, by statements: one locks all rows, one writes them, one writes
// the journal. Triggers, row security, partitions and whatever else the table has are the server's
// to honour.
#pragma once

#include "store/store.hpp"

#include <vector>

namespace lockstep {

class spi_store final : public store {
  public:
    explicit spi_store(const ledger &in) : in_(in) {}

    bool lock(std::span<const Datum> keys, std::span<batch_row> rows) override;
    [[nodiscard]] bool wants_second_look(std::size_t /*movements*/) const override { return true; }
    void book(std::span<const new_booking> bookings, TimestampTz booked_at,
              std::span<const batch_row> rows, const rival_questions &rivals) override;

  private:
    void write(std::span<const batch_row> rows);

    const ledger &in_;
    std::vector<Datum> keys_;
};

} // namespace lockstep
