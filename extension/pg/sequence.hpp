// Numbers of a sequence.
#pragma once

#include "pg/boundary.hpp"

#include "core/call_memory.hpp"

#include <cstddef>
#include <cstdint>

namespace lockstep {

// So many numbers of the sequence, in the order in which they were drawn: ascending where it does,
// with gaps where others draw too. The caller's rights on it are not asked for. As with nextval,
// they are not given back when the transaction is rolled back.
[[nodiscard]] call_vector<std::int64_t> next_values(Oid sequence, std::size_t count);

} // namespace lockstep
