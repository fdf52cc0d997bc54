#include "ledger/rights.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"

#include <string>

namespace lockstep {

namespace {

// As the executor asks: the right on the column, or on the whole table.
bool has_right(const ledger &target, AttrNumber column, AclMode right) {
    const Oid table = target.table;
    return pg_call([=] {
        return pg_class_aclcheck(table, GetUserId(), right) == ACLCHECK_OK ||
               pg_attribute_aclcheck(table, column, GetUserId(), right) == ACLCHECK_OK;
    });
}

bool may_read_key(const ledger &target) {
    for (int i = 0; i < target.key_count; ++i)
        if (!has_right(target, target.key_columns[i], ACL_SELECT))
            return false;
    return true;
}

sql_error denied(const ledger &target) {
    return {state::insufficient_privilege,
            std::string{"permission denied for table "} + target.name};
}

} // namespace

void check_reading_rights(const ledger &target) {
    require_schema_usage(target.table);
    if (!may_read_key(target))
        throw denied(target);
}

void check_rights(const ledger &target) {
    require_schema_usage(target.table);
    const Oid table = target.table;
    constexpr AclMode all = ACL_SELECT | ACL_UPDATE;
    if (pg_call([=] { return pg_class_aclmask(table, GetUserId(), all, ACLMASK_ALL); }) == all)
        return;
    bool allowed = may_read_key(target);
    for (const kept_column &one : target.columns)
        allowed = allowed && (one.number == 0 || has_right(target, one.number, ACL_SELECT));
    for (const match_column &one : target.match_columns())
        allowed = allowed && has_right(target, one.number, ACL_SELECT);
    for (const auto written : {row_column::amount, row_column::version})
        allowed = allowed && (!target.has(written) ||
                              has_right(target, target.column_of(written).number, ACL_UPDATE));
    if (!allowed)
        throw denied(target);
}

bool may_see_every_row(const ledger &target) {
    const Oid table = target.table;
    return pg_call([table] { return check_enable_rls(table, InvalidOid, true); }) != RLS_ENABLED;
}

} // namespace lockstep
