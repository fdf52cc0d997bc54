// A page of text as the result of a function.
#pragma once

#include "pg/pg.hpp"

#include <string_view>

namespace lockstep {

// Makes the function's result the lines of the page, one row each and in order, as EXPLAIN does it
// with a plan: a client then shows the page as it is, and no row has a line break. An empty page
// has no rows.
Datum return_page(FunctionCallInfo fcinfo, std::string_view page);

} // namespace lockstep
