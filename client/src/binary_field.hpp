// Values of an answer that came in the server's binary form, which depends on no setting of the
// session: the text of a time does on DateStyle and TimeZone. For what a statement cannot be asked
// to convert itself: what CALL returns. Texts are the same in both forms.
#pragma once

#include <lockstep/amount.hpp>
#include <lockstep/ledger.hpp>
#include <lockstep/rows.hpp>

#include <cstdint>
#include <optional>

namespace lockstep::detail {

// All throw std::runtime_error for bytes that are not such a value: another type, an infinity, NaN.
[[nodiscard]] std::int32_t integer_in(const field &one); // integer
// Nothing for NULL.
[[nodiscard]] std::optional<amount> amount_in(const field &one);     // numeric
[[nodiscard]] std::optional<booking_time> time_in(const field &one); // timestamptz

} // namespace lockstep::detail
