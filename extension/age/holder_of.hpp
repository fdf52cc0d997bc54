// Processes, prepared transactions and slots as holders of the horizon.
#pragma once

#include "age/instant.h"
#include "pg/boundary.hpp"

#include "core/age/horizon_holder.hpp"

#include <optional>

namespace lockstep {

// Nothing for a process that has neither transaction nor snapshot. `status` may be null; what the
// session does is looked at only where `may_see`.
[[nodiscard]] std::optional<age::horizon_holder> holder_of(const age_process &one,
                                                           const PgBackendStatus *status,
                                                           bool may_see, const age_instant &now);

// Nothing for a slot that holds no transaction and no WAL; one that the server has given up holds
// nothing, and is told all the same.
[[nodiscard]] std::optional<age::horizon_holder> holder_of(const age_slot &one,
                                                           const age_instant &now);

[[nodiscard]] inline age::xid_place next_place(const age_instant &now) {
    return static_cast<age::xid_place>(now.counters.next_xid);
}

} // namespace lockstep
