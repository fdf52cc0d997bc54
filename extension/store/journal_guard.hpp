// The journal is written by lockstep alone: a trigger on it refuses every other write, its owner's
// too. It belongs to the ledger's owner, as any table of theirs, so that no statement on it ever
// runs with more rights than the ledger's owner has.
#pragma once

#include "pg/boundary.hpp"

#include "core/request_id.hpp"

#include <span>

namespace lockstep {

// Announces the rows that this session is about to write to a journal, for as long as the scope
// lasts: their ids, in the order in which they go in. Whatever else comes to the journal meanwhile,
// by code of its owner's that the statement runs, is none of them.
class journal_writing {
  public:
    journal_writing(Oid journal, AttrNumber id_column, std::span<const uuid_bytes> ids) noexcept;
    ~journal_writing();
    journal_writing(const journal_writing &) = delete;
    journal_writing &operator=(const journal_writing &) = delete;

    [[nodiscard]] Oid journal() const noexcept { return journal_; }
    [[nodiscard]] AttrNumber id_column() const noexcept { return id_column_; }
    // Whether the row with this id is the one whose turn it is; then it is the next one's turn.
    [[nodiscard]] bool take(const uuid_bytes &id) noexcept;

  private:
    Oid journal_;
    AttrNumber id_column_;
    std::span<const uuid_bytes> ids_; // those whose turn is still to come
    journal_writing *before_;
};

// What is being written to that journal just now; null where nothing is.
[[nodiscard]] journal_writing *being_written(Oid journal) noexcept;

} // namespace lockstep
