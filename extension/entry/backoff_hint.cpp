// lockstep.backoff_hint: how long to wait before one tries again to get a row.
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "store/contention.hpp"
#include "store/ledger_cache.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_backoff_hint) {
    const ledger_cache::use use;
    spi_session session;
    const ledger &in = ledger_cache::find(DatumGetObjectId(required_argument(fcinfo, 0, "ledger")));
    const Datum key = key_argument(fcinfo, 1, "key", in.key);
    const auto wait = wait_for_row(in, key);
    session.finish();
    if (!wait)
        PG_RETURN_NULL();
    PG_RETURN_INT32(static_cast<int32>(to_milliseconds(*wait).count()));
}
