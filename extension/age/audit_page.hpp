// What the audit says: the findings about holders and those of the databases, as lines for people.
#pragma once

#include "age/databases.hpp"
#include "age/horizon_holders.hpp"
#include "core/age/audit.hpp"

#include <vector>

namespace lockstep {

// At most so many findings are written out, worst first.
[[nodiscard]] age::audit_page
audit_page_of(horizon_holders &seen, const std::vector<database> &databases, std::size_t most);

} // namespace lockstep
