// lockstep.get_retry_rules, lockstep.retry_class: the table of verdicts by SQLSTATE.
#include "core/retry_rules.hpp"
#include "core/sql_error.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"

#include <string>

using namespace lockstep;

namespace {

std::optional<Datum> text_value(std::string_view value) {
    return text_datum(std::string{value}.c_str());
}

// What both say of a line, after its state.
template <class Row>
void add_rule(Row &row, const retry_rule &rule) {
    row.add(text_value(to_string(rule.verdict)));
    row.add(text_value(to_string(rule.backoff)));
    row.add(rule.at_most == 0 ? std::nullopt : std::optional{Int32GetDatum(rule.at_most)});
    row.add(text_value(rule.note));
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_retry_rules) {
    row_builder<5>::open_set(fcinfo);
    for (const retry_rule &rule : retry_rules()) {
        row_builder<5> row;
        row.add(rule.sqlstate.empty() ? std::nullopt : text_value(rule.sqlstate));
        add_rule(row, rule);
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

// Null is the session that ended without a code.
LOCKSTEP_FUNCTION(lockstep_retry_class) {
    const std::string sqlstate =
        argument(fcinfo, 0) ? text_argument(fcinfo, 0, "sqlstate", 64) : std::string{};
    if (argument(fcinfo, 0) && !is_sqlstate(sqlstate))
        throw sql_error(state::invalid_parameter_value, "\"" + sqlstate + "\" is not a SQLSTATE",
                        "It has five digits or capital letters.");
    row_builder<4> row;
    add_rule(row, retry_rule_for(sqlstate));
    return row.composite(fcinfo);
}
