// Parts of a graph as column values. Values that many rows share are made once.
#pragma once

#include "lock_graph/wait_for_graph.hpp"

#include "pg/column_value.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace lockstep {

// What it waits for, as "Client: ClientRead"; nothing where that is not for the caller.
[[nodiscard]] column_value wait_event_value(const lock_process &process, const session &who);
// How long, until the graph's instant.
[[nodiscard]] column_value since_value(const wait_for_graph &now, std::optional<TimestampTz> from);

// Texts that the program itself holds, each made into a value once.
class constant_texts {
  public:
    [[nodiscard]] column_value operator()(const char *text);

  private:
    std::vector<std::pair<const char *, Datum>> known_; // few
};

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
    // What a process waits for that waits for no lock; of a safe snapshot nothing is said.
    [[nodiscard]] column_value what_else(std::int32_t process);

    [[nodiscard]] column_value constant(const char *name) { return constants_(name); }

  private:
    wait_for_graph &graph_;
    constant_texts constants_;
    std::map<std::pair<std::uint8_t, std::uint32_t>, Datum> masks_;
    std::map<std::pair<std::int32_t, const void *>, Datum> whats_;
};

} // namespace lockstep
