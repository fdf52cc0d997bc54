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

// Nobody is given a number up to this one any more, nor is this taken back. False where the
// sequence descends or ends there: then it stays as it is. Call as its owner. Waits for who is
// raising it just now, and for nobody else.
bool raise_sequence(Oid sequence, std::int64_t above);

// The number that comes next. The caller's rights on the sequence are not asked for.
[[nodiscard]] std::int64_t coming_value(Oid sequence);

} // namespace lockstep
