// lockstep.register_ledger and lockstep.drop_ledger.
#include "ledger/choice.hpp"
#include "ledger/registering.hpp"
#include "pg/boundary.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <cstring>

using namespace lockstep;

namespace {

registered_column column_argument(FunctionCallInfo fcinfo, int number) {
    registered_column one{};
    const std::string name = name_argument(fcinfo, number);
    std::memcpy(one.name, name.c_str(), name.size() + 1);
    return one;
}

std::optional<money> bound_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    const auto value = argument(fcinfo, number);
    if (!value)
        return std::nullopt;
    return money_from_numeric(*value, name);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_register_ledger) {
    require_writing_allowed("lockstep.register_ledger()");
    registration wanted{};
    wanted.ledger = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    wanted.key = column_argument(fcinfo, 1);
    wanted.amount = column_argument(fcinfo, 2);
    if (!wanted.amount.exists())
        throw sql_error(state::null_value_not_allowed, "amount must not be null");
    wanted.floor = bound_argument(fcinfo, 3, "floor");
    wanted.ceiling = bound_argument(fcinfo, 4, "ceiling");
    wanted.floor_column = column_argument(fcinfo, 5);
    wanted.ceiling_column = column_argument(fcinfo, 6);
    wanted.version_column = column_argument(fcinfo, 7);
    wanted.frozen_column = column_argument(fcinfo, 8);
    wanted.history = DatumGetBool(required_argument(fcinfo, 9, "history"));
    return ObjectIdGetDatum(register_table(wanted));
}

LOCKSTEP_FUNCTION(lockstep_drop_ledger) {
    require_writing_allowed("lockstep.drop_ledger()");
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    unregister_table(table, DatumGetBool(required_argument(fcinfo, 1, "drop_journal")));
    PG_RETURN_VOID();
}

LOCKSTEP_FUNCTION(lockstep_store_of) {
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    const served how = how_served(table);
    row_builder<2> row;
    row.add(how.store == nullptr ? std::nullopt : std::optional{text_datum(how.store)});
    row.add(text_datum(how.reason.c_str()));
    return row.composite(fcinfo);
}
