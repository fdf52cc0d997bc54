// Work under another role, for the statements on tables that callers have no right on. The switch
// is local: SET ROLE is not possible inside it, nor anything that would outlive it in the session;
// it ends with the scope, on success and on error.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

class as_role {
  public:
    explicit as_role(Oid role) noexcept {
        GetUserIdAndSecContext(&role_, &security_);
        SetUserIdAndSecContext(role, security_ | SECURITY_LOCAL_USERID_CHANGE |
                                         SECURITY_RESTRICTED_OPERATION);
    }
    ~as_role() { SetUserIdAndSecContext(role_, security_); }
    as_role(const as_role &) = delete;
    as_role &operator=(const as_role &) = delete;

  private:
    Oid role_ = InvalidOid;
    int security_ = 0;
};

// The caller's search path gives way to pg_catalog, pg_temp until the scope is left: for statements
// that name everything themselves but are parsed with operators and functions of the server's own.
class own_search_path {
  public:
    own_search_path() {
        level_ = pg_call([] {
            const int level = NewGUCNestLevel();
            set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                              GUC_ACTION_SAVE, true, 0, false);
            return level;
        });
    }
    // Puts the caller's path back. On an error the server does that with the (sub)transaction.
    void restore() {
        const int level = level_;
        pg_call([level] { AtEOXact_GUC(false, level); });
    }

  private:
    int level_ = 0;
};

} // namespace lockstep
