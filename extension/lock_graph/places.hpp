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

// A row in words, with its key where that is known.
[[nodiscard]] std::string row_text(Oid database, Oid relation, const ItemPointerData &row,
                                   const char *key, catalogs &names);

} // namespace lockstep
