// lockstep.lock_snapshot: how large one instant was, and how long the lock manager stood still for
// it.
#include "lock_graph/snapshot.h"
#include "pg/rows.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_lock_snapshot) {
    const lock_picture *picture = pg_call([] { return lockstep_take_picture(); });
    row_builder<7> row;
    row.add(TimestampTzGetDatum(picture->taken_at));
    row.add(Int32GetDatum(picture->lock_count));
    row.add(Int32GetDatum(picture->wait_count));
    row.add(Int32GetDatum(picture->claim_count));
    row.add(Int32GetDatum(picture->process_count));
    row.add(Float8GetDatum(static_cast<double>(picture->held_for) / 1000));
    row.add(Int32GetDatum(picture->attempts));
    return row.composite(fcinfo);
}
