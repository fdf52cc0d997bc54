// Which store serves a call.
#pragma once

#include "store/store.hpp"

#include <memory>

namespace lockstep {

// The store that serves this call. Needs an open SPI session, and `target` for as long as it lives.
[[nodiscard]] std::unique_ptr<store> store_for(const ledger &target);

// The store that serves any call.
[[nodiscard]] std::unique_ptr<store> statements_for(const ledger &target);

} // namespace lockstep
