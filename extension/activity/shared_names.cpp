#include "activity/shared_names.hpp"

namespace lockstep {

namespace {

column_value name_value(const char *name) {
    if (name == nullptr)
        return {};
    return pg_call([name] { return DirectFunctionCall1(namein, CStringGetDatum(name)); });
}

} // namespace

column_value shared_names::of_database(Oid database) {
    if (!readable_ || database == InvalidOid)
        return {};
    const auto [at, fresh] = databases_.try_emplace(database);
    if (fresh)
        at->second = name_value(pg_call([database] { return get_database_name(database); }));
    return at->second;
}

column_value shared_names::of_role(Oid role) {
    if (!readable_ || role == InvalidOid)
        return {};
    const auto [at, fresh] = roles_.try_emplace(role);
    if (fresh)
        at->second = name_value(pg_call([role] { return GetUserNameFromId(role, true); }));
    return at->second;
}

} // namespace lockstep
