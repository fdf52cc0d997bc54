#include "activity/catalogs.hpp"

#include "pg/values.hpp"

namespace lockstep {

const Oid catalogs::all[count] = {AuthIdRelationId,
                                  AuthMemRelationId,
                                  DatabaseRelationId,
                                  RelationRelationId,
                                  NamespaceRelationId,
                                  AttributeRelationId,
                                  IndexRelationId,
                                  TypeRelationId,
                                  OperatorClassRelationId,
                                  OperatorFamilyRelationId,
                                  AccessMethodRelationId,
                                  AccessMethodProcedureRelationId,
                                  AccessMethodOperatorRelationId,
                                  ProcedureRelationId,
                                  ConstraintRelationId,
                                  AttrDefaultRelationId,
                                  RewriteRelationId,
                                  TriggerRelationId,
                                  PolicyRelationId,
                                  EnumRelationId,
                                  InheritsRelationId};

catalogs::catalogs() {
    Assert(OidIsValid(all[count - 1])); // as many as the list has
    locked_ = pg_call([] {
        int locked = 0;
        while (locked < count && version::lock_relation_if_free(all[locked], AccessShareLock))
            ++locked;
        return locked;
    });
}

void catalogs::release() {
    const int locked = locked_;
    pg_call([locked] {
        for (int i = locked; --i >= 0;)
            UnlockRelationOid(all[i], AccessShareLock);
    });
    locked_ = 0;
}

std::string catalogs::relation_name(Oid database, Oid relation) {
    if (!readable() || !is_ours(database))
        return std::to_string(relation);
    const auto [at, fresh] = names_.try_emplace(relation);
    if (fresh)
        at->second = copied(pg_call([relation] {
            return DatumGetCString(DirectFunctionCall1(regclassout, ObjectIdGetDatum(relation)));
        }));
    return at->second;
}

std::string catalogs::qualified_name(Oid database, Oid relation) {
    if (!readable() || !is_ours(database))
        return std::to_string(relation);
    const char *name = pg_call([relation]() -> const char * {
        const char *plain = get_rel_name(relation);
        return plain == nullptr ? nullptr
                                : quote_qualified_identifier(
                                      get_namespace_name(get_rel_namespace(relation)), plain);
    });
    return name == nullptr ? std::to_string(relation) : copied(name);
}

} // namespace lockstep
