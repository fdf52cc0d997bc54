// The value of a column of a result: nothing is null. What one is made of, beside the texts and
// amounts of values.hpp.
#pragma once

#include "pg/values.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace lockstep {

using column_value = std::optional<Datum>;

[[nodiscard]] inline column_value int_value(std::int32_t value) {
    return Int32GetDatum(value);
}
// Nothing for 0, which is no pid, no OID and no cycle.
[[nodiscard]] inline column_value int_or_null(std::int32_t value) {
    return value == 0 ? column_value{} : int_value(value);
}
[[nodiscard]] inline column_value oid_or_null(std::optional<Oid> value) {
    return value && *value != InvalidOid ? column_value{ObjectIdGetDatum(*value)} : column_value{};
}
[[nodiscard]] inline column_value xid_or_null(std::optional<TransactionId> value) {
    return value && *value != InvalidTransactionId ? column_value{TransactionIdGetDatum(*value)}
                                                   : column_value{};
}
[[nodiscard]] inline column_value text_or_null(const std::string &value) {
    return value.empty() ? column_value{} : column_value{text_datum(value.c_str())};
}
[[nodiscard]] inline column_value text_or_null(const char *value) {
    return value == nullptr ? column_value{} : column_value{text_datum(value)};
}
// Nothing for 0, which is no moment that a server has seen.
[[nodiscard]] inline column_value moment_value(std::optional<TimestampTz> value) {
    return value && *value != 0 ? column_value{TimestampTzGetDatum(*value)} : column_value{};
}
// The place of a row version, as a tid.
[[nodiscard]] column_value row_place_value(const std::optional<ItemPointerData> &row);
// A bigint[] of them, in order.
[[nodiscard]] column_value bigints_value(std::span<const std::int64_t> values);

} // namespace lockstep
