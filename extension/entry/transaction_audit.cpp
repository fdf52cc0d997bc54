// lockstep.transaction_audit: the worst of it on one screen.
#include "age/audit_page.hpp"
#include "core/sql_error.hpp"
#include "pg/page.hpp"
#include "pg/values.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_transaction_audit) {
    const std::int32_t most = DatumGetInt32(required_argument(fcinfo, 0, "max_findings"));
    if (most < 1)
        throw sql_error(state::invalid_parameter_value, "max_findings must be at least 1");
    horizon_holders seen;
    const std::vector<database> databases = databases_of(seen);
    const std::string page =
        age::audit_text(audit_page_of(seen, databases, static_cast<std::size_t>(most)));
    seen.release();
    return return_page(fcinfo, page);
}
