// Plain tables, directly: one look into the key's index and one lock a row, one HOT update a row
// where the page has room, and the journal's rows in one go.
#pragma once

#include "store/store.hpp"

namespace lockstep {

class heap_store final : public store {
  public:
    explicit heap_store(const ledger &target) : target_(target) {}

    lock_result lock(std::span<const Datum> keys, std::span<batch_row> rows,
                     std::size_t tries) override;
    // Only tries, and goes on where a row is busy. False where this store must not write one of the
    // rows after all.
    [[nodiscard]] bool lock_free_ones(std::span<const Datum> keys, std::span<batch_row> rows,
                                      std::span<bool> busy);
    // A single row of the journal meets its rivals at the index, and can be taken back there; so
    // can many together, in a subtransaction, which costs more than to look up a few.
    [[nodiscard]] bool wants_second_look(std::size_t movements) const override {
        constexpr std::size_t few = 64;
        return movements > 1 && movements < few;
    }
    [[nodiscard]] bool may_change_rows() const override { return false; }
    call_vector<std::optional<row_state>> write(std::span<const batch_row> rows) override;
    bool append_if_new(const journal_row &row) override;
    bool append_all_or_none(std::span<const journal_row> rows) override;
    call_vector<std::size_t> append(std::span<const journal_row> rows) override;
    [[nodiscard]] conflict_effect at_conflict() const override { return conflict_effect::end_call; }

  private:
    // `busy` is empty where locking ends at the first row that is tried and busy.
    lock_result lock_and_read(std::span<const Datum> keys, std::span<batch_row> rows,
                              std::size_t tries, std::span<bool> busy);

    const ledger &target_;
    call_vector<Datum> keys_;
    call_vector<ItemPointerData> places_; // where the locked rows are
};

} // namespace lockstep
