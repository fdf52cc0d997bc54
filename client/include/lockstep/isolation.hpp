// The server's isolation levels and access modes. READ UNCOMMITTED is READ COMMITTED in PostgreSQL.
#pragma once

namespace lockstep {

enum class isolation { read_committed, repeatable_read, serializable };
enum class access_mode { read_write, read_only };

} // namespace lockstep
