// lockstep.backoff_hint: how long to wait before one tries again to get a row.
#include "ledger/ledger_cache.hpp"
#include "ledger/rights.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "transfer/contention.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_backoff_hint) {
    pg_call([] { PreventCommandIfParallelMode("lockstep.backoff_hint()"); });
    ledger_cache::use use;
    spi_session session;
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    std::optional<std::chrono::microseconds> wait;
    if (const ledger *known = use.open_if_free(table)) {
        check_reading_rights(*known);
        const Datum key = key_argument(fcinfo, 1, "key", known->key);
        // Not where code of the key's type has changed the ledger; nor under row security, where a
        // row may be none of the caller's, and to find out could have to wait.
        if (!known->stale && may_see_every_row(*known))
            wait = wait_for_row(*known, key);
    }
    use.close();
    session.finish();
    if (!wait)
        PG_RETURN_NULL();
    PG_RETURN_INT32(static_cast<int32>(to_milliseconds(*wait).count()));
}
