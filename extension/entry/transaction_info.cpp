// lockstep.transaction_info: the caller's own transaction.
#include "age/instant.h"
#include "core/age/xids.hpp"
#include "core/words.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

const char *isolation_name() {
    switch (XactIsoLevel) {
    case XACT_READ_UNCOMMITTED: return "read uncommitted";
    case XACT_READ_COMMITTED: return "read committed";
    case XACT_REPEATABLE_READ: return "repeatable read";
    default: return "serializable";
    }
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_transaction_info) {
    age_process own;
    pg_call([&own] { lockstep_count_own_locks(&own); });
    const auto next = static_cast<age::xid_place>(
        pg_call([] { return U64FromFullTransactionId(ReadNextFullTransactionId()); }));
    const FullTransactionId xid = GetTopFullTransactionIdIfAny();
    const TimestampTz began = GetCurrentTransactionStartTimestamp();
    row_builder<15> row;
    row.add(text_or_null(isolation_name()));
    row.add(BoolGetDatum(XactReadOnly));
    row.add(BoolGetDatum(XactDeferrable));
    row.add(FullTransactionIdIsValid(xid) ? column_value{FullTransactionIdGetDatum(xid)}
                                          : column_value{});
    row.add(pg_call([] { return OidFunctionCall0(F_PG_CURRENT_SNAPSHOT); }));
    row.add(xid_or_null(own.xmin));
    const auto held = std::min(age::place_of(own.xmin, next), age::place_of(own.process.xid, next));
    row.add(held == age::nowhere ? column_value{}
                                 : column_value{Int64GetDatum(*age::age_of(held, next))});
    row.add(text_or_null(vxid_text(own.process.vxid_slot, own.process.vxid_local)));
    row.add(TimestampTzGetDatum(began));
    const TimestampTz age =
        std::max<TimestampTz>(pg_call([] { return GetCurrentTimestamp(); }) - began, 0);
    row.add(interval_datum(age));
    // Level 1 is the transaction itself.
    row.add(int_value(GetCurrentTransactionNestLevel() - 1));
    row.add(BoolGetDatum(IsTransactionBlock()));
    row.add(int_value(own.locks_held));
    row.add(own.strongest_mode == 0
                ? column_value{}
                : text_or_null(GetLockmodeName(own.strongest_method, own.strongest_mode)));
    row.add(Float8GetDatum(static_cast<double>(age) / USECS_PER_SEC));
    return row.composite(fcinfo);
}
