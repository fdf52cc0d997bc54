#include "entry/movement_arguments.hpp"

#include "core/sql_error.hpp"
#include "ledger/rights.hpp"
#include "pg/key.hpp"
#include "pg/values.hpp"

namespace lockstep {

const ledger &ledger_argument(ledger_cache::use &use, FunctionCallInfo fcinfo,
                              const char *function) {
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    require_writing_allowed(function);
    const ledger &target = use.open(table);
    check_rights(target);
    return target;
}

List *hold_second_key(FunctionCallInfo fcinfo, int number) {
    const auto key = argument(fcinfo, number);
    if (!key)
        return nullptr;
    const Oid given = pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, number); });
    return hold_keys(nullptr, {&*key, 1}, given);
}

bool returns_refusals(FunctionCallInfo fcinfo, int number) {
    const std::string choice = text_argument(fcinfo, number, "on_refusal", 64);
    if (choice != "raise" && choice != "return")
        throw sql_error(state::invalid_parameter_value,
                        "on_refusal must be \"raise\" or \"return\": \"" + choice + "\"");
    return choice == "return";
}

} // namespace lockstep
