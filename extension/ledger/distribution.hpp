// Tables whose rows are kept elsewhere: an extension such as Citus leaves the table in its place,
// as a name, and keeps the rows in shards, on this server or on others. What reads the table's own
// storage finds nothing there; statements find the rows.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

// Whether pg_dist_partition lists the table. Whoever distributes a table sends an invalidation of
// it, so it is enough to ask when a table is described.
[[nodiscard]] bool is_distributed(Oid table);

// Whether this server is one of the others: pg_dist_local_group gives it a number that is not 0.
[[nodiscard]] bool is_worker_node();

} // namespace lockstep
