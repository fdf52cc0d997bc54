// Any table, at any isolation level, by statements: one locks all rows, one writes them. Triggers,
// row security, partitions and whatever else the table has are the server's to honour. Where rows
// are kept on other servers (Citus), each row has statements of its own. The journal is written by
// a statement, too, where it has something of its own; otherwise directly, so that it is never
// waited for unasked.
#pragma once

#include "store/store.hpp"

namespace lockstep {

class spi_store final : public store {
  public:
    explicit spi_store(const ledger &target) : target_(target) {}

    lock_result lock(std::span<const Datum> keys, std::span<batch_row> rows,
                     std::size_t tries) override;
    [[nodiscard]] bool wants_second_look(std::size_t /*movements*/) const override { return true; }
    [[nodiscard]] bool may_change_rows() const override { return true; }
    call_vector<std::optional<row_state>> write(std::span<const batch_row> rows) override;
    bool append_if_new(const journal_row &row) override;
    call_vector<std::size_t> append(std::span<const journal_row> rows) override;
    [[nodiscard]] conflict_effect at_conflict() const override;

  private:
    lock_result lock_by_key(std::span<batch_row> rows, std::size_t tries);
    [[nodiscard]] lock_result lock_at_once(std::span<batch_row> rows, std::size_t tries) const;
    void lock_some(const kept_statement &statement, std::span<batch_row> rows, std::size_t first,
                   std::size_t count) const;
    void write_at_once(std::span<const batch_row> rows, const call_vector<std::size_t> &moved,
                       call_vector<std::optional<row_state>> &written) const;

    const ledger &target_;
    bool by_key_ = false;        // rows are locked and written by a statement each
    bool puts_directly_ = false; // the journal's rows, by no statement
    call_vector<Datum> keys_;
    call_vector<std::optional<money>> before_; // the amounts, where it is by key
};

} // namespace lockstep
