// lockstep.register_ledger and lockstep.drop_ledger.
#include "ledger/choice.hpp"
#include "ledger/registering.hpp"
#include "pg/arrays.hpp"
#include "pg/boundary.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

using namespace lockstep;

namespace {

registered_column column_argument(FunctionCallInfo fcinfo, int number) {
    registered_column one{};
    const std::string name = name_argument(fcinfo, number);
    std::memcpy(one.name, name.c_str(), name.size() + 1);
    return one;
}

// The columns that an array names, each once; at most as many as a key may have.
std::vector<registered_column> columns_argument(FunctionCallInfo fcinfo, int number,
                                                const std::string &argument_name,
                                                std::size_t least) {
    const std::size_t count = array_length(fcinfo, number);
    if (count < least || count > INDEX_MAX_KEYS)
        throw sql_error(state::invalid_parameter_value,
                        argument_name + " must name " + std::to_string(least) + " to " +
                            std::to_string(INDEX_MAX_KEYS) + " columns",
                        "It names " + std::to_string(count) + ".");
    std::vector<registered_column> columns;
    const array_elements names = array_argument(fcinfo, number, argument_name.c_str());
    for (std::size_t i = 0; i < count; ++i) {
        if (names.nulls[i])
            throw sql_error(state::null_value_not_allowed, argument_name + " must not have a null");
        registered_column column{};
        std::memcpy(column.name, NameStr(*DatumGetName(names.values[i])), NAMEDATALEN);
        if (std::ranges::any_of(columns, [&column](const registered_column &other) {
                return std::strcmp(other.name, column.name) == 0;
            }))
            throw sql_error(state::invalid_parameter_value, argument_name + " names column \"" +
                                                                std::string{column.name} +
                                                                "\" twice");
        columns.push_back(column);
    }
    return columns;
}

// The key's columns, by the one argument or the other; none where neither is given.
std::vector<registered_column> key_arguments(FunctionCallInfo fcinfo, int one, int several) {
    std::vector<registered_column> columns;
    if (const registered_column key = column_argument(fcinfo, one); key.exists())
        columns.push_back(key);
    if (!argument(fcinfo, several))
        return columns;
    if (!columns.empty())
        throw sql_error(state::invalid_parameter_value, "key and key_columns cannot be given both");
    return columns_argument(fcinfo, several, "key_columns", 1);
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
    wanted.key = key_arguments(fcinfo, 1, 10);
    wanted.amount = column_argument(fcinfo, 2);
    if (!wanted.amount.exists())
        throw sql_error(state::null_value_not_allowed, "amount must not be null");
    wanted.floor = bound_argument(fcinfo, 3, "floor");
    wanted.ceiling = bound_argument(fcinfo, 4, "ceiling");
    wanted.floor_column = column_argument(fcinfo, 5);
    wanted.ceiling_column = column_argument(fcinfo, 6);
    wanted.version_column = column_argument(fcinfo, 7);
    wanted.frozen_column = column_argument(fcinfo, 8);
    if (argument(fcinfo, 11))
        wanted.match = columns_argument(fcinfo, 11, "match_columns", 0);
    wanted.history = DatumGetBool(required_argument(fcinfo, 9, "history"));
    if (const auto journal = argument(fcinfo, 12))
        wanted.journal = DatumGetObjectId(*journal);
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
