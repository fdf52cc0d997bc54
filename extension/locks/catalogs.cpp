#include "locks/catalogs.hpp"

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
                                  InheritsRelationId};

catalogs::catalogs() {
    locked_ = pg_call([] {
        int locked = 0;
        while (locked < count && ConditionalLockRelationOid(all[locked], AccessShareLock))
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

} // namespace lockstep
