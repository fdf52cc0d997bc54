// Every difference between the supported servers, in one place: the newest form first, with the
// release that brought it. Nothing else in the project looks at the server's version.
#pragma once

#include "pg/pg.hpp"

namespace lockstep::version {

// Whether the user owns the relation. 16: one function for every kind of object.
inline bool owns_relation(Oid relation, Oid user) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, relation, user);
#else
    return pg_class_ownercheck(relation, user);
#endif
}

// Whether the user has the right on the schema. 16: one function for every kind of object.
inline AclResult check_schema_right(Oid schema, Oid user, AclMode right) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, user, right);
#else
    return pg_namespace_aclcheck(schema, user, right);
#endif
}

// Starts a scan of an index. 18: an argument for instrumentation.
inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
    return index_beginscan(table, index, snapshot, nullptr, keys, 0);
#else
    return index_beginscan(table, index, snapshot, keys, 0);
#endif
}

} // namespace lockstep::version

// 16 exports a function that PG_FUNCTION_INFO_V1 names; on 15 a module built with hidden visibility
// has to say so itself. Saying it again on 16 and later is harmless.
#define LOCKSTEP_EXPORT __attribute__((visibility("default")))
