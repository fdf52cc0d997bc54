// The names of what all databases of a server share: databases and roles. Each is looked up once,
// and only where that would not have to wait.
#pragma once

#include "pg/column_value.hpp"

#include <map>

namespace lockstep {

class shared_names {
  public:
    // `readable` says that no lock on the catalogs would have to be waited for; else there are no
    // names.
    explicit shared_names(bool readable) : readable_(readable) {}

    // Nothing for InvalidOid too, and for what is gone.
    [[nodiscard]] column_value of_database(Oid database);
    [[nodiscard]] column_value of_role(Oid role);

  private:
    bool readable_;
    std::map<Oid, column_value> databases_;
    std::map<Oid, column_value> roles_;
};

} // namespace lockstep
