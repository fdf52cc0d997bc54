// SHA-1 by the server's own library, for named request ids.
#pragma once

#include "pg/boundary.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace lockstep {

// The digest of the bytes of `first` followed by those of `second`.
[[nodiscard]] std::array<std::uint8_t, 20> sha1(std::span<const std::uint8_t> first,
                                                std::span<const std::uint8_t> second);

} // namespace lockstep
