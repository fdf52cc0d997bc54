// lockstep.lock_snapshot: how large one instant was, and how long the lock manager stood still for
// it.
#include "lock_graph/snapshot.h"
#include "pg/rows.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_lock_snapshot) {
    const lock_snapshot *snapshot = pg_call([] { return lockstep_take_lock_snapshot(); });
    row_builder<7> row;
    row.add(TimestampTzGetDatum(snapshot->taken_at));
    row.add(Int32GetDatum(snapshot->lock_count));
    row.add(Int32GetDatum(snapshot->wait_count));
    row.add(Int32GetDatum(snapshot->proclock_count));
    row.add(Int32GetDatum(snapshot->process_count));
    row.add(Float8GetDatum(static_cast<double>(snapshot->held_for) / 1000));
    row.add(Int32GetDatum(snapshot->attempts));
    return row.composite(fcinfo);
}
