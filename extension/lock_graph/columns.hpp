// Parts of a graph as column values. Values that many rows share are made once.
#pragma once

#include "lock_graph/wait_for_graph.hpp"

#include "pg/values.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

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
[[nodiscard]] inline column_value moment_value(std::optional<TimestampTz> value) {
    return value && *value != 0 ? column_value{TimestampTzGetDatum(*value)} : column_value{};
}
[[nodiscard]] column_value row_place_value(const std::optional<ItemPointerData> &row);
// What it waits for, as "Client: ClientRead"; nothing where that is not for the caller.
[[nodiscard]] column_value wait_event_value(const lock_process &process, const session &who);
// How long, until the graph's instant.
[[nodiscard]] column_value since_value(const wait_for_graph &now, std::optional<TimestampTz> from);
[[nodiscard]] column_value bigints_value(std::span<const std::int64_t> values);

class lock_columns {
  public:
    explicit lock_columns(wait_for_graph &seen) : graph_(seen) {}

    [[nodiscard]] column_value mode(const lock_object &lock, std::int32_t mode);
    // The modes of a mask, weakest first.
    [[nodiscard]] column_value modes(const lock_object &lock, std::uint32_t mask);
    [[nodiscard]] column_value kind(std::int32_t process);
    [[nodiscard]] column_value edge_kind(graph::edge_kind kind);
    [[nodiscard]] column_value lock_type(const lock_object &lock);
    [[nodiscard]] column_value what(std::int32_t wait);

    // A text that the program itself holds, and shows often.
    [[nodiscard]] column_value constant(const char *name);

  private:
    wait_for_graph &graph_;
    std::vector<std::pair<const char *, Datum>> constants_; // few
    std::map<std::pair<std::uint8_t, std::uint32_t>, Datum> masks_;
    std::map<std::pair<std::int32_t, const void *>, Datum> whats_;
};

} // namespace lockstep
