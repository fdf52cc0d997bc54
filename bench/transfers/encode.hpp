// Parameters in the binary form of their types, so that no contestant's time is spent on text.
#pragma once

#include "common/session.hpp"
#include "transfers/workload.hpp"

#include <span>

namespace lockstep::bench {

value bigint_of(std::int64_t number);
value numeric_of(std::int64_t number);
value uuid_of(const std::array<std::uint8_t, 16> &id);

enum class field { from, to, amount, amount_as_numeric, id };

// An array with one element a wish: bigint[], numeric[] or uuid[].
value array_of(field which, std::span<const wish> wishes);

} // namespace lockstep::bench
