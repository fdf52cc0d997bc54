// Who waits for whom, from one snapshot of the lock manager. The rules are the ones of
// pg_blocking_pids(), process by process:
//
//   hard  the other holds the lock in a mode that conflicts with the one asked for
//   soft  else the other stands ahead in the queue and asks for a mode in conflict
//
// A process does not wait for members of its own lock group, except for the right to extend a
// relation, which conflicts inside a group too.
#pragma once

#include "core/graph/lock_snapshot.h"

#include <cstdint>
#include <vector>

namespace lockstep::graph {

enum class edge_kind : std::uint8_t {
    hard,
    soft,
    latent,        // a further holder of the row, not the one that is waited for at this moment
    safe_snapshot, // a read-only deferrable transaction that waits for a serializable one
    group          // a call of submit that waits for who carries it out, or works on its rows
};

struct edge {
    std::int32_t waiter;   // process
    std::int32_t blocker;  // process
    std::int32_t wait;     // of the snapshot's waits; -1: not a wait for a lock
    std::int32_t proclock; // of the snapshot's proclocks; -1: none
    edge_kind kind;
    bool nearest;    // part of the reduced graph
    bool same_group; // not seen by pg_blocking_pids()
};

enum class extent : std::uint8_t { reduced, hard_too, all };

// The edges of the snapshot, lock by lock, in the order of each queue.
//
// `reduced` keeps every hard edge, except to who is merely first in the line for a row, and of the
// rest the edges that those ahead in the queue do not imply: who reaches whom is the same in both.
// A queue of n processes for one row has n edges in place of n * (n - 1) / 2.
[[nodiscard]] std::vector<edge> edges_of(const lock_snapshot &snapshot, extent wanted);

} // namespace lockstep::graph
