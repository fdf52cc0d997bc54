// What is said to one who has lost a race: when to come back, by how many stand before him.
#pragma once

#include "store/ledger.hpp"

#include "core/backoff.hpp"

#include <optional>

namespace lockstep {

// Defines lockstep.backoff_base and lockstep.backoff_cap. Once, when the module is loaded.
void install_backoff_settings();

// The range of the waits after a conflict, as it is set.
[[nodiscard]] backoff_range conflict_range();

// How long one should wait who has so many before him: their turns, up to the cap.
[[nodiscard]] std::chrono::microseconds wait_behind(int ahead);

// The same for a row; nothing where there is no such row. Reads only, waits for nothing.
[[nodiscard]] std::optional<std::chrono::microseconds> wait_for_row(const ledger &in, Datum key);

// 40001 for a request whose id another transaction has booked in the meantime. DETAIL says how long
// to wait, by the busier one of the request's rows.
[[noreturn]] void lose_race_for_id(const ledger &in, std::optional<Datum> from,
                                   std::optional<Datum> to);

} // namespace lockstep
