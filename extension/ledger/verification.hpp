// The check of a whole ledger: amounts, journal and bounds against each other, in one statement and
// so at one instant.
#pragma once

#include "ledger/ledger.hpp"

#include <string>

namespace lockstep {

// The query; its rows are (violation, key, request_id, expected, found), in that order of sorting.
[[nodiscard]] std::string verification_query(Oid table);

} // namespace lockstep
