// In which order locks are taken, from what waiting transactions held and wanted: where the pairs
// make a ring, the order is inverted somewhere, and transactions that come at the wrong moment
// deadlock.
#pragma once

#include "core/graph/lock_snapshot.h"

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::graph {

// A transaction that held one relation and waited for another, or for a row of it. Modes are those
// of the server's table locks.
struct held_and_wanted {
    std::uint32_t database;
    std::uint32_t held;       // relation
    std::uint32_t held_modes; // mask
    std::uint32_t wanted;     // relation
    std::int32_t wanted_mode; // of a row: the mode that stands for its strength
    bool wants_row;
    std::int64_t times; // how often it was seen
};

// Modes in conflict with a mode, by mode.
using conflict_masks = std::span<const std::uint32_t, LOCKSTEP_LOCK_MODES>;

// Whether the one would wait for the other, if both were there at one time. Who has a row locked
// has its table locked with ROW SHARE or ROW EXCLUSIVE; whether it is that row nobody knows.
[[nodiscard]] bool is_kept_by(const held_and_wanted &one, const held_and_wanted &other,
                              conflict_masks conflicts);

// Rings of pairs, by index, each of which waits for the next one and the last for the first. Every
// pair that is in a ring is looked at with its shortest; of several over the same relations the one
// stays whose rarest pair was seen most, and that is the order of the result too. A ring begins at
// its lowest relation. A ring of one is a stronger lock on what is locked already.
//
// Rows of one relation make no ring: in which order they are taken does not show here.
[[nodiscard]] std::vector<std::vector<std::size_t>>
inverted_orders(std::span<const held_and_wanted> pairs, conflict_masks conflicts);

} // namespace lockstep::graph
