// Where the rows of a ledger and its journal live, as a batch of movements sees it: rows are locked
// and read, then written, and the journal is added to. What is decided between these steps, and
// what a conflict means, is not for a store to know.
#pragma once

#include "ledger/ledger.hpp"

#include "core/batch.hpp"

#include <optional>
#include <span>

namespace lockstep {

// What came of locking rows.
struct lock_result {
    bool is_served = true; // false where this store must not write one of them after all
    std::optional<std::size_t> busy = {}; // the row that others have, and was not waited for
};

// What append() does where an id is in the journal already.
enum class conflict_effect {
    pass_over, // waits until it is decided whether it is booked, and goes on with the others
    stop,      // waits for nobody, and may be called again, from that row on
    end_call   // waits for nobody, and cannot go on: the transaction has to end
};

class store {
  public:
    store() = default;
    virtual ~store() = default;
    store(const store &) = delete;
    store &operator=(const store &) = delete;

    // Locks the rows FOR NO KEY UPDATE, one after the other, and reads them as they stand then; the
    // state of a row that the caller has not is left empty. Keys are distinct and in canonical
    // order. So many of the first are only tried: where one of these is busy, locking ends there.
    [[nodiscard]] virtual lock_result lock(std::span<const Datum> keys, std::span<batch_row> rows,
                                           std::size_t tries) = 0;

    // Whether the ids of so many movements have to be looked up once more when the rows are locked.
    [[nodiscard]] virtual bool wants_second_look(std::size_t movements) const = 0;

    // Whether code of the user's may make other rows of those that are written. Then they are
    // written before they are booked; otherwise after, for until then all can be taken back.
    [[nodiscard]] virtual bool may_change_rows() const = 0;

    // Writes what the items have made of the rows that were locked. Returns the rows as they are
    // then, by number, nothing for one that the write has not named; nothing at all where they are
    // as they were to be.
    virtual call_vector<std::optional<row_state>> write(std::span<const batch_row> rows) = 0;

    // Adds a row to the journal; false, and nothing is added, where its id is there already.
    [[nodiscard]] virtual bool append_if_new(const journal_row &row) = 0;

    // Adds all of them, which come in the order of their ids, and waits for nobody. False, and none
    // is added, where one of the ids is there already, committed or not; and where this store
    // cannot take back what it has added.
    [[nodiscard]] virtual bool append_all_or_none(std::span<const journal_row> /*rows*/) {
        return false;
    }

    // Adds many, which come in the order of their ids. The positions of those that are not there
    // then: another transaction has the id, or a trigger of the journal has left them out. Only the
    // first one where the store does not pass over it.
    [[nodiscard]] virtual call_vector<std::size_t> append(std::span<const journal_row> rows) = 0;

    // Known once the rows are locked.
    [[nodiscard]] virtual conflict_effect at_conflict() const = 0;
};

} // namespace lockstep
