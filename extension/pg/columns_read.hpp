// Column pruning for functions that return rows: which columns the statement reads, found in its
// plan. Whatever nobody reads need not be made, nor kept until the statement ends.
#pragma once

#include "pg/boundary.hpp"

#include <span>

namespace lockstep {

// Marks the columns that the scan of this call's rows reads; each where that cannot be told. The
// call is a set-returning one in FROM, in a plan of its own.
void mark_columns_read(FunctionCallInfo fcinfo, std::span<bool> read);

} // namespace lockstep
