#include "store/execution.hpp"

#include "core/sql_error.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/kept_plans.hpp"
#include "pg/role.hpp"

#include <cstddef>
#include <string>

namespace lockstep {

namespace {

SPIPlanPtr prepare(const kept_statement &statement) {
    const auto parameters = static_cast<std::size_t>(statement.parameters);
    return prepare_kept(statement.sql, {statement.types, parameters});
}

SPIPlanPtr plan_of(const kept_statement &statement) {
    if (statement.plan != nullptr)
        return statement.plan;
    if (!OidIsValid(statement.parsed_as)) {
        statement.plan = prepare(statement);
        return statement.plan;
    }
    as_role owner{statement.parsed_as};
    statement.plan = prepare(statement);
    owner.leave();
    return statement.plan;
}

[[noreturn]] void found_another(const ledger &target) {
    throw sql_error(state::object_in_use,
                    "another table was found under the name of " + table_text(target),
                    "Its schema was given another name while a movement was in progress.");
}

} // namespace

uint64 execute(const ledger &target, const kept_statement &statement,
               const spi_parameters &parameters) {
    Assert(parameters.size() == static_cast<std::size_t>(statement.parameters));
    ledger_cache::require_unchanged(target);
    SPIPlanPtr plan = plan_of(statement);
    const uint64 rows = execute(plan, parameters);
    ledger_cache::require_unchanged(target);
    // A statement knows its table by name, and no lock on a table keeps the name of its schema.
    if (!is_about(plan, OidIsValid(statement.parsed_as) ? target.journal : target.table))
        found_another(target);
    return rows;
}

void require_result_types(const ledger &target, int first_column, std::span<const Oid> types) {
    const Oid *wanted = types.data();
    const int count = static_cast<int>(types.size());
    const bool are_same = pg_call([=] {
        const TupleDesc columns = SPI_tuptable->tupdesc;
        for (int i = 0; i < count; ++i) {
            const int number = first_column + i;
            if (number > columns->natts)
                return false;
            const Oid type = TupleDescAttr(columns, number - 1)->atttypid;
            if (OidIsValid(wanted[i]) && type != wanted[i] && getBaseType(type) != wanted[i])
                return false;
        }
        return true;
    });
    if (!are_same)
        found_another(target);
}

} // namespace lockstep
