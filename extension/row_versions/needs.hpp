// Why an old version is still there: who may need it, by the holders of the horizon.
#pragma once

#include "age/horizon_holders.hpp"
#include "row_versions/history.hpp"

#include <optional>
#include <string>

namespace lockstep {

class version_needs {
  public:
    // Of the versions of this table, which is open.
    explicit version_needs(Relation table);

    struct answer {
        bool is_removable = false; // the next VACUUM may take it away
        std::string why;           // it is still there; empty where it is no old one
    };
    [[nodiscard]] answer of(const row_version &one);

    // Lets go of the catalogs; the end of every call that made one.
    void release();

  private:
    [[nodiscard]] answer of_dead(TransactionId ended);
    [[nodiscard]] answer not_needed() const;

    std::optional<age::horizon_kind> kind_; // nothing: the table is this session's alone
    std::optional<horizon_holders> seen_;   // looked at where there is an old version
    bool in_recovery_;
};

} // namespace lockstep
