// The row of lockstep.registration that makes a table a ledger. It names columns by name and by
// position: the name counts, so that a dump restores well; the position finds a column that was
// renamed, as long as the table is the very one that was registered. A ledger has more than one row
// where a restore has brought some: the one that was registered here counts, whatever they say.
#pragma once

#include "pg/boundary.hpp"

#include "core/money.hpp"
#include "core/sql_error.hpp"

#include <optional>
#include <vector>

namespace lockstep {

// A column as it was registered; an empty name where the ledger has none of that kind.
struct registered_column {
    char name[NAMEDATALEN];
    AttrNumber position;

    [[nodiscard]] bool exists() const { return name[0] != '\0'; }
};

struct registration {
    Oid ledger;
    Oid journal;
    std::vector<registered_column> key; // in its order
    registered_column amount;
    registered_column floor_column;
    registered_column ceiling_column;
    registered_column version_column;
    registered_column frozen_column;
    std::vector<registered_column> match; // must be equal in both rows of a movement
    std::optional<money> floor;
    std::optional<money> ceiling;
    int journal_version;
    bool history;
    // False after drop_ledger: then only the journal counts, which the next registration takes up.
    bool active;
    // Only restored rows, and they say different things: it is no ledger until one says which.
    bool disputed;
};

// The table's registration, active or not, as it is committed now, whatever the transaction's
// snapshot says; nothing where it never had one. Takes no right of the caller's.
[[nodiscard]] std::optional<registration> find_registration(Oid ledger);

// An error with a hint that register_ledger cures it: who is registering just now is not told that.
class needs_registration : public sql_error {
  public:
    using sql_error::sql_error;
};

// The same for a table that is a ledger now; LS005 where it is none.
[[nodiscard]] registration registration_of_ledger(Relation table);

// Whether the table is the journal of a ledger, or was and is kept.
[[nodiscard]] bool is_journal(Oid table);

// The table whose journal it is, or was and is kept; InvalidOid where there is none, or it is gone.
[[nodiscard]] Oid ledger_of_journal(Oid journal);

// Writes or replaces the registration, and forgets what restores have brought for this ledger, and
// the ones whose tables are gone. Call as the owner of lockstep's own tables.
void save_registration(const registration &row);
void delete_registration(Oid ledger);

// The owner of lockstep's own tables.
[[nodiscard]] Oid registration_owner();

} // namespace lockstep
