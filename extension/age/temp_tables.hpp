// Temporary tables of this database. Only their own session can freeze them, so they keep
// datfrozenxid where it is, though nobody holds a horizon.
#pragma once

#include "age/instant.h"
#include "pg/boundary.hpp"

#include "core/age/xids.hpp"

#include <string>
#include <vector>

namespace lockstep {

// Those of one schema, which is those of one session.
struct temp_tables {
    Oid schema;
    std::string schema_name;
    std::string names; // the first of them, with the schema, to be named in a statement
    std::int32_t count;
    age::xid_place oldest; // smallest relfrozenxid
    std::int64_t gain;     // by how much the database's oldest table would be younger without them
    bool is_oldest;        // of the whole database
    std::int32_t process;  // index of the session in the instant; -1: it is gone
};

// Scans pg_class, which the caller has locked. By schema.
[[nodiscard]] std::vector<temp_tables> temp_tables_of(const age_instant &now);

} // namespace lockstep
