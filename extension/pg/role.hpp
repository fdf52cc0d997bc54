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
    // Who called, and where he looks for names.
    struct caller {
        const char *search_path; // the server keeps it until the settings are undone
        Oid role;
        int security;
    };

    own_settings() {
        GetUserIdAndSecContext(&caller_.role, &caller_.security);
        caller_.search_path = namespace_search_path;
        level_ = pg_call([] {
            const int level = NewGUCNestLevel();
            set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                              GUC_ACTION_SAVE, true, 0, false);
            return level;
        });
        if (outermost_ == nullptr)
            outermost_ = this;
    }
    ~own_settings() { forget(); }
    own_settings(const own_settings &) = delete;
    own_settings &operator=(const own_settings &) = delete;

    void restore() {
        const int level = level_;
        forget();
        pg_call([level] { AtEOXact_GUC(false, level); });
    }

    // Of the outermost scope; null where none is open.
    [[nodiscard]] static const caller *outside() noexcept {
        return outermost_ == nullptr ? nullptr : &outermost_->caller_;
    }

  private:
    void forget() noexcept {
        if (outermost_ == this)
            outermost_ = nullptr;
    }

    caller caller_{};
    int level_ = 0;
    static inline const own_settings *outermost_ = nullptr;
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
