// The numbers of bookings.
#pragma once

#include "core/call_memory.hpp"
#include "ledger/ledger.hpp"

#include <cstddef>
#include <cstdint>

namespace lockstep {

// So many entries, ascending. Call while the rows of the ledger are locked: they are above what the
// journal has for these rows, where its sequence has fallen behind, too.
[[nodiscard]] call_vector<std::int64_t> next_entries(const ledger &target, std::size_t count);

} // namespace lockstep
