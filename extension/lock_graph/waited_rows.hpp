// The rows that one instant's waits are for. A wait for a row is a wait for a place in its line, or
// for the transaction that has it while the own place in the line is kept; that place tells the
// row. Where no place is kept (a unique index that another insert has touched, a row that is locked
// already) the server tells nobody but the waiter itself.
#pragma once

#include "activity/catalogs.hpp"
#include "lock_graph/row_key.hpp"

#include "core/graph/lock_snapshot.h"

#include <cstdint>
#include <vector>

namespace lockstep {

struct waited_row {
    Oid database;
    Oid relation; // invalid where the row is not known
    ItemPointerData place;
    bool from_log; // known from what the waiter has said
    row_status status;
    const char *key;
    MultiXactMember *lockers;
    int locker_count;
};

struct waited_rows {
    std::vector<waited_row> rows;      // each place once
    std::vector<std::int32_t> of_wait; // by wait: index in rows; -1 where the wait is not for a row
};

[[nodiscard]] waited_rows rows_waited_for(const lock_snapshot &snapshot, const catalogs &names);

// The one relation of this name in this database; none where there are more.
[[nodiscard]] Oid only_relation_named(const char *name);

} // namespace lockstep
