// For a statement that must not wait. NOWAIT and SKIP LOCKED do wait in a corner: whoever locks an
// older version of a row follows its newer versions, and waits there for whoever has one of them
// locked (heap_lock_updated_tuple; two kinds of steps lead there: FOR KEY SHARE beside an update in
// progress, and any lock on a version whose update was committed after the snapshot was taken,
// while somebody has that version locked: one who shares its key, or one who came the same way). A
// lock_timeout ends that: of a millisecond, or, for who may be patient, of half the time after
// which the server looks for a deadlock, and of half a second at most. Where all waits are the
// caller's own affair nothing ends it.
#pragma once

#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

namespace lockstep {

enum class patience { none, some, endless };

// Waits end soon, with 55P03, until restore(). On an error the server undoes it with the
// (sub)transaction.
class short_waits {
  public:
    explicit short_waits(patience how = patience::none);
    void restore();

  private:
    int level_;
};

// A row is busy that was only to be tried: LS050, unless somebody who knows the row says it better.
class would_wait : public sql_error {
  public:
    would_wait();
};

// After a pg_error, within its handler: takes the error off the server's stack where it is that
// somebody would have to wait (55P03), and tells. The (sub)transaction must end then.
[[nodiscard]] bool take_lock_not_available();

// Runs a statement without waiting; would_wait where it would have to.
template <class Statement>
auto without_waiting(Statement statement, patience how = patience::none) {
    if (how == patience::endless)
        return statement();
    short_waits waits{how};
    bool would_block = false;
    try {
        auto result = statement();
        waits.restore();
        return result;
    } catch (const pg_error &) {
        would_block = take_lock_not_available();
        if (!would_block)
            throw;
    }
    throw would_wait{};
}

} // namespace lockstep
