// The server's own catalogs, read without ever waiting for a lock on one: whoever inspects locks
// must not stand in the queue that he inspects. While one of the catalogs is locked against reading
// (VACUUM FULL, CLUSTER, LOCK TABLE), numbers are shown in place of names.
#pragma once

#include "pg/boundary.hpp"

#include <map>
#include <string>

namespace lockstep {

class catalogs {
  public:
    // Tries to lock every catalog that is read here, and by opening a relation, with ACCESS SHARE.
    catalogs();
    // Releases them. On an error the server does that.
    void release();

    [[nodiscard]] bool readable() const { return locked_ == count; }

    // The relation with its schema, whatever the search path; its OID where that is all there is.
    [[nodiscard]] std::string qualified_name(Oid database, Oid relation);

    // The relation as regclass shows it; its OID where it belongs to another database or is gone.
    [[nodiscard]] std::string relation_name(Oid database, Oid relation);

    // Whether a relation of the database may be printed by its name.
    [[nodiscard]] bool shows(Oid database) const { return readable() && is_ours(database); }

    // Whether a relation of this database, or one that all share, goes by this OID.
    [[nodiscard]] static bool is_ours(Oid database) {
        return database == MyDatabaseId || database == InvalidOid;
    }

  private:
    static constexpr int count = 21;
    static const Oid all[count];

    int locked_ = 0;
    std::map<Oid, std::string> names_;
};

} // namespace lockstep
