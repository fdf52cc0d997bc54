// What was sampled, as the caller may see it: statements, states and names of applications are for
// members of pg_read_all_stats and of the role whose session it was.
#pragma once

#include "activity/sessions.hpp"
#include "lock_graph/places.hpp"
#include "lock_samples/waits.h"
#include "pg/column_value.hpp"

#include <string>

namespace lockstep {

// 55000 where the module was not preloaded.
void require_lock_samples();

// What the wait was for.
[[nodiscard]] wanted_place wanted_by(const sampled_wait &one, catalogs &names);

class shown_samples {
  public:
    explicit shown_samples(sessions &activity) : activity_(activity) {}

    // The statement; "<insufficient privilege>" where it is not for the caller.
    [[nodiscard]] std::string text_of(const sampled_statement &said);
    // Nothing where it is not for the caller, or not known.
    [[nodiscard]] column_value query_id(const sampled_statement &said);
    [[nodiscard]] column_value application(const sampled_session &who);
    [[nodiscard]] column_value state(const sampled_session &who);
    [[nodiscard]] column_value transaction_started(const sampled_session &who);

    [[nodiscard]] column_value user(const sampled_session &who) {
        return activity_.role_name(who.role);
    }

  private:
    [[nodiscard]] bool may_see(const sampled_session &who) { return activity_.may_see(who.role); }

    sessions &activity_;
};

} // namespace lockstep
