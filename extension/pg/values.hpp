// Datums to plain values and back: text, uuid, lengths of time, and the exact amounts of core/.
// Everything here may throw pg_error, and sql_error where a state is named; memory of the server's
// side is in the current memory context.
#pragma once

#include "pg/boundary.hpp"

#include "core/call_memory.hpp"
#include "core/money.hpp"
#include "core/request_id.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// The argument, or nothing where it is null.
[[nodiscard]] std::optional<Datum> argument(FunctionCallInfo fcinfo, int number);

// The argument; 22004 with its name where it is null.
[[nodiscard]] Datum required_argument(FunctionCallInfo fcinfo, int number, const char *name);

// A text argument, 22004 where it is null, 54000 where it is longer than most_bytes.
[[nodiscard]] std::string text_argument(FunctionCallInfo fcinfo, int number, const char *name,
                                        std::size_t most_bytes);

// A name argument, empty where it is null.
[[nodiscard]] std::string name_argument(FunctionCallInfo fcinfo, int number);

// An exact amount from a numeric. NaN and the infinities are LS007; `what` names the value in the
// message.
[[nodiscard]] money money_from_numeric(Datum numeric, const char *what);

// The same amount as a numeric, with the same decimals.
[[nodiscard]] Datum numeric_from_money(const money &amount);

// A fresh version 7 request id.
[[nodiscard]] uuid_bytes new_request_id();

// Many of them, of one moment.
[[nodiscard]] call_vector<uuid_bytes> new_request_ids(std::size_t count);

// The bytes of a uuid Datum, and a uuid Datum of them.
[[nodiscard]] uuid_bytes uuid_from_datum(Datum uuid);
[[nodiscard]] Datum datum_from_uuid(const uuid_bytes &id);

// A text Datum.
[[nodiscard]] Datum text_datum(const char *text);
// The same, null where there is none.
[[nodiscard]] std::optional<Datum> text_or_null(const std::optional<std::string> &text);

// A length of time as an interval, in hours and less as the difference of two times is.
[[nodiscard]] Datum interval_datum(std::int64_t microseconds);

// The same in days, hours and minutes, for what is far away.
[[nodiscard]] Datum days_datum(std::int64_t microseconds);

// A moment as text, in the session's time zone.
[[nodiscard]] std::string time_text(TimestampTz at);

// A text[] of them, in order.
[[nodiscard]] Datum text_array_datum(const std::vector<std::string> &texts);

// A text Datum as a std::string.
[[nodiscard]] std::string text_of(Datum value);

// A C string of the server's as a std::string; nothing raises here.
[[nodiscard]] inline std::string copied(const char *text) {
    return text == nullptr ? std::string{} : std::string{text};
}

} // namespace lockstep
