// A version of a row as it lies on its page: what was copied of it at one instant. Trivially
// destructible.
#pragma once

#include "pg/boundary.hpp"

#include <optional>

namespace lockstep {

struct found_version {
    Oid table; // or partition
    ItemPointerData place;
    int line;                 // LP_NORMAL, LP_REDIRECT or LP_DEAD
    ItemPointerData leads_to; // of a redirect

    // Of a normal one:
    alignas(MAXIMUM_ALIGNOF) char bytes[MAXALIGN(SizeofHeapTupleHeader)];
    bool is_visible;       // to the snapshot that was asked for
    HTSV_Result state;     // what VACUUM makes of it
    TransactionId ended;   // where it is recently dead: by whom
    bool has_left_its_key; // it was updated, and the next version has another key

    [[nodiscard]] bool is_normal() const { return line == LP_NORMAL; }
    [[nodiscard]] const HeapTupleHeaderData *header() const {
        return reinterpret_cast<const HeapTupleHeaderData *>(bytes);
    }
    // Where it leads; not what stands there instead of a place: the mark of a move, or of a
    // speculative insertion.
    [[nodiscard]] std::optional<ItemPointerData> next() const {
        if (line == LP_REDIRECT)
            return leads_to;
        if (!is_normal() || HeapTupleHeaderIndicatesMovedPartitions(header()) ||
            HeapTupleHeaderIsSpeculative(header()))
            return std::nullopt;
        return header()->t_ctid;
    }
};

} // namespace lockstep
