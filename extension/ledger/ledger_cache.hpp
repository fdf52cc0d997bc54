// The ledgers that this session has used, described once and kept until their tables, journals,
// schemas or registrations change.
//
// Code of the user's runs in the middle of a call (domain checks, triggers, policies), in this very
// session, which no lock keeps from anything. So for as long as a call works with a ledger, the
// table, its journal and the indexes that it is looked up by are open in the relation cache: the
// server itself then refuses to alter or drop them (55006). What it does not refuse (a new name, a
// new trigger, a column that goes with its type) is noticed: the description is stale, and looked
// at again before it is used.
#pragma once

#include "ledger/ledger.hpp"

#include <vector>

namespace lockstep::ledger_cache {

// Asks the server to be told of changes. Once, when the module is loaded.
void install();

// One call's work with ledgers: it keeps their descriptions and holds their relations. Needs an
// open SPI session.
class use {
  public:
    use() noexcept;
    ~use();
    use(const use &) = delete;
    use &operator=(const use &) = delete;

    // The ledger, locked against changes of its definition by others (ROW EXCLUSIVE, as an UPDATE
    // would) until the end of the transaction. LS005 where the table is not registered.
    const ledger &open(Oid table);

    // The same to look at only, with ACCESS SHARE until close(); null where a lock on it is not to
    // be had at once.
    const ledger *open_if_free(Oid table);

    // The ledger as it is now, after code of the user's has run and before anything was done by its
    // description. 55006 where keys read by the one are none for the other.
    const ledger &again(const ledger &target);

    // Lets go of the relations. Not called on an error: then the server does it, with the
    // (sub)transaction that has failed.
    void close();

  private:
    friend bool is_in_use(Oid table);

    struct held_relation {
        Relation relation;
        LOCKMODE unlock;
    };
    const ledger *hold(Oid table, LOCKMODE lock, bool waits);

    std::vector<held_relation> held_;
    use *outer_;
};

// Whether a call of this session is at work with it.
[[nodiscard]] bool is_in_use(Oid table);

// 55006 where the ledger has changed since it was described, in a way that matters to work that has
// begun; for use wherever code of the user's may have run.
void require_unchanged(const ledger &target);

} // namespace lockstep::ledger_cache
