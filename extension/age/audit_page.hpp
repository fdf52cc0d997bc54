// What the audit says: the survey's findings and those of the databases, as lines for people.
#pragma once

#include "age/databases.hpp"
#include "age/survey.hpp"
#include "core/age/audit.hpp"

#include <vector>

namespace lockstep {

// At most so many findings are written out, worst first.
[[nodiscard]] age::audit_page audit_page_of(survey &seen, const std::vector<database> &databases,
                                            std::size_t most);

} // namespace lockstep
