// What is locked, in words: the lock's tag with names for numbers.
#pragma once

#include "activity/catalogs.hpp"

#include "core/graph/lock_snapshot.h"

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep {

// The parts of a lock's tag, as columns; nothing where the kind of lock has no such part.
struct lock_place {
    const char *type = "";
    std::optional<Oid> database;
    std::optional<Oid> relation;
    std::optional<ItemPointerData> row;
    std::optional<TransactionId> xid;
    std::string vxid;
    std::string object;
    std::string advisory_key;
    std::string text; // for people
};

[[nodiscard]] lock_place place_of(const lock_object &lock, catalogs &names);

// What somebody waits for: the lock's place, and where it is for a row, by the lock itself or by
// the waiter's place in the row's line, that one and its relation.
struct wanted_place {
    lock_place lock;
    std::optional<ItemPointerData> row;
    Oid database = InvalidOid; // of the relation
    Oid relation = InvalidOid; // of the row, else of the lock
};

// `line` is that place as a tuple lock has it; of no relation: there is none.
struct row_line {
    Oid database;
    Oid relation;
    BlockNumber block;
    OffsetNumber offset;
};
[[nodiscard]] wanted_place wanted_at(const lock_object &lock, const row_line &line,
                                     catalogs &names);

// The names of the modes in a mask, weakest first: "ShareLock, ExclusiveLock".
[[nodiscard]] std::string mode_names(std::uint8_t method, std::uint32_t modes);

// A row in words, with its key where that is known.
[[nodiscard]] std::string row_text(Oid database, Oid relation, const ItemPointerData &row,
                                   const char *key, catalogs &names);

} // namespace lockstep
