// The values of a CALL's `params`, of whatever type their array is, as the texts that bound
// statements take.
#pragma once

#include "pg/arrays.hpp"
#include "retry/bound_statement.hpp"

namespace lockstep {

// In order; nothing for a null. A text stays as it is. Any other value becomes what its type
// writes, in a form that every session reads in the same way: the statements may set DateStyle or
// the search path before they use it.
[[nodiscard]] text_parameters written_parameters(const array_elements &given);

} // namespace lockstep
