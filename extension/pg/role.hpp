// Work under another role, for the statements on tables that callers have no right on. Whatever
// code of others such a statement may call, it finds a search path of ours, cannot leave the role,
// and leaves no setting and nothing else behind in the session.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

// The search path gives way to pg_catalog, pg_temp, and settings made from here on are undone,
// until restore(). On an error the server undoes them with the (sub)transaction.
class own_settings {
  public:
    own_settings() {
        level_ = pg_call([] {
            const int level = NewGUCNestLevel();
            set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                              GUC_ACTION_SAVE, true, 0, false);
            return level;
        });
    }
    void restore() {
        const int level = level_;
        pg_call([level] { AtEOXact_GUC(false, level); });
    }

  private:
    int level_ = 0;
};

// The role ends with the scope, on success and on error; call leave() at the end of the work.
class as_role {
  public:
    explicit as_role(Oid role) {
        GetUserIdAndSecContext(&role_, &security_);
        SetUserIdAndSecContext(role, security_ | SECURITY_LOCAL_USERID_CHANGE |
                                         SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
    }
    ~as_role() { SetUserIdAndSecContext(role_, security_); }
    as_role(const as_role &) = delete;
    as_role &operator=(const as_role &) = delete;

    void leave() { settings_.restore(); }

  private:
    own_settings settings_;
    Oid role_ = InvalidOid;
    int security_ = 0;
};

} // namespace lockstep
