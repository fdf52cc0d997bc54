// The flags of a version's header, by their names in the server's source and in words.
#pragma once

#include "pg/boundary.hpp"

#include <string>
#include <vector>

namespace lockstep {

// As heap_tuple_infomask_flags() of pageinspect has them, and in its order: HEAP_XMIN_COMMITTED,
// ...
[[nodiscard]] std::vector<std::string> flag_names(const HeapTupleHeaderData *version);

// What they say together: "xmin committed, xmax invalid, heap only".
[[nodiscard]] std::string flag_words(const HeapTupleHeaderData *version);

} // namespace lockstep
