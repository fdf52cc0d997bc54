// lockstep.verify_ledger: the violations of one ledger, none where all is well.
#include "ledger/verification.hpp"
#include "pg/role.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_verify_ledger) {
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    const std::string statement = verification_query(table);
    pg_call([fcinfo] { InitMaterializedSRF(fcinfo, 0); });

    own_settings settings;
    spi_session session;
    const uint64 rows = query(statement);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    pg_call([=] {
        for (uint64 i = 0; i < rows; ++i)
            tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
    });
    session.finish();
    settings.restore();
    PG_RETURN_NULL();
}
