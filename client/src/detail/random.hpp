// 64 random bits for jitter, from a generator of the thread's own. Not for secrets.
#pragma once

#include <cstdint>

namespace lockstep::detail {

[[nodiscard]] std::uint64_t random_bits();

} // namespace lockstep::detail
