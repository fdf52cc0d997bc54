// lockstep.update_if_version: a row changed where its version is the expected one.
#include "locking/versions.hpp"
#include "pg/call_memory.hpp"
#include "pg/spi.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_update_if_version) {
    const call_memory memory;
    spi_session session;
    memory.enter();
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "relation"));
    const Datum given = required_argument(fcinfo, 1, "key");
    const std::int64_t expected = DatumGetInt64(required_argument(fcinfo, 2, "expected_version"));
    const Datum changes = required_argument(fcinfo, 3, "changes");
    require_writing_allowed("lockstep.update_if_version()");
    table_use use{table};
    const Oid type = pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, 1); });
    const call_vector<Datum> keys = use.keys_from({&given, 1}, type, "key");
    const std::int64_t version =
        update_if_version(use, keys.front(), expected, changes, name_argument(fcinfo, 4));
    use.close();
    session.finish();
    return Int64GetDatum(version);
}
