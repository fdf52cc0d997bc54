// What is said to one who has lost a race: when to come back, by how many stand before him.
#pragma once

#include "ledger/ledger.hpp"

#include "pg/backoff_settings.hpp"

#include <optional>

namespace lockstep {

// How long one should wait who wants a row; nothing where there is no such row. Reads only, waits
// for nothing.
[[nodiscard]] std::optional<std::chrono::microseconds> wait_for_row(const ledger &target,
                                                                    Datum key);

// 40001 for a request whose id another transaction has booked in the meantime. DETAIL says how long
// to wait, by the busier one of the request's rows.
[[noreturn]] void lose_race_for_id(const ledger &target, std::optional<Datum> from,
                                   std::optional<Datum> to);

} // namespace lockstep
