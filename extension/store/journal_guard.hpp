// The journal is written by lockstep alone: a trigger on it refuses every other write, its owner's
// too. It belongs to the ledger's owner, as any table of theirs, so that no statement on it ever
// runs with more rights than the ledger's owner has.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

// Marks the journal that this session is writing, for as long as the scope lasts.
class journal_writing {
  public:
    explicit journal_writing(Oid journal) noexcept;
    ~journal_writing();
    journal_writing(const journal_writing &) = delete;
    journal_writing &operator=(const journal_writing &) = delete;

  private:
    Oid before_;
};

// Whether that is the journal being written.
[[nodiscard]] bool is_being_written(Oid journal) noexcept;

} // namespace lockstep
