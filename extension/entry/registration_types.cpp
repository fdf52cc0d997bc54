// The types of columns of lockstep's own tables, as a dump's text is read: a restore needs no table
// that is not in it, and no role that is not there, and brings no OID along.
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_relation_name_in) {
    const char *name = PG_GETARG_CSTRING(0);
    return ObjectIdGetDatum(relation_by_name(name));
}

LOCKSTEP_FUNCTION(lockstep_role_name_in) {
    const char *name = PG_GETARG_CSTRING(0);
    return ObjectIdGetDatum(role_by_name(name));
}

LOCKSTEP_FUNCTION(lockstep_local_oid_in) {
    return ObjectIdGetDatum(InvalidOid);
}
