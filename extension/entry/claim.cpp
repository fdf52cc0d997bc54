// lockstep.claim: rows that nobody else has, locked.
#include "locking/claims.hpp"
#include "pg/call_memory.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

using namespace lockstep;

namespace {

// The whole key as text: what every call takes as a key.
Datum key_as_text(const key_type &type, Datum key) {
    auto *output = const_cast<FmgrInfo *>(&type.output);
    return pg_call([=] { return CStringGetTextDatum(OutputFunctionCall(output, key)); });
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_claim) {
    using result_rows = row_builder<1>;
    result_rows::open_set(fcinfo);
    const call_memory memory;
    spi_session session;
    memory.enter();
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "relation"));
    const std::int32_t max_rows = DatumGetInt32(required_argument(fcinfo, 1, "max_rows"));
    if (max_rows < 0)
        throw sql_error(state::invalid_parameter_value, "max_rows must not be negative");
    table_use use{table};
    std::optional<column> order_by;
    if (const std::string name = name_argument(fcinfo, 3); !name.empty()) {
        order_by = find_column(use.relation(), name.c_str());
        if (!order_by)
            throw sql_error(state::undefined_column,
                            table_text(use.table()) + " has no column \"" + name + "\"");
    }
    const call_vector<Datum> keys = claim_rows(use, max_rows, argument(fcinfo, 2), order_by);
    result_rows row;
    for (const Datum key : keys) {
        row.add(key_as_text(use.table().key, key));
        row.append(fcinfo);
    }
    use.close();
    session.finish();
    return Datum{0};
}
