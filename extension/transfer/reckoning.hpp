// What movements make of the rows that were locked for them, and what is kept of that.
#pragma once

#include "transfer/movements.hpp"

#include "store/store.hpp"

#include "core/batch.hpp"

#include <optional>
#include <span>

namespace lockstep {

class reckoning {
  public:
    explicit reckoning(movements &all);

    // Applies the item to the rows in memory, or refuses it and leaves them as they are. Where it
    // takes what there is, its amount becomes that, if it is applied.
    [[nodiscard]] std::optional<refusal> apply(std::size_t item);

  private:
    movements &all_;
    row_names names_;
};

// Tells the order guard of the rows that were locked, of which it has to know the highest.
void hold_highest_row(const movements &all);

// The answers to those of these items that have none yet. Their rows of the journal, in the same
// order, are written.
void keep_answers(movements &all, std::span<const journal_row> rows,
                  std::span<const std::uint32_t> items, TimestampTz now);

} // namespace lockstep
