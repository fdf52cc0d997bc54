// What one holder keeps the server from forgetting.
#pragma once

#include "core/age/xids.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace lockstep::age {

enum class holder_kind : std::uint8_t {
    active,
    idle_in_xact,
    idle_in_xact_aborted,
    fastpath,
    session, // in a transaction; what it does is not known, or not for the caller
    parallel_worker,
    background_worker,
    autovacuum,
    vacuum,
    prepared,
    walsender,          // decodes, or runs statements of its client
    walsender_feedback, // of a standby that sends hot_standby_feedback, and uses no slot
    slot_physical,
    slot_logical,
    standby_session,     // seen on the standby itself
    primary_transaction, // on a standby: the oldest one that runs on the primary
    temp_table
};
constexpr std::size_t holder_kinds = static_cast<std::size_t>(holder_kind::temp_table) + 1;

[[nodiscard]] std::string_view kind_name(holder_kind kind);

// Whether the kind tells what a session does, which is not for everybody.
[[nodiscard]] bool tells_state(holder_kind kind);

// How far a holder reaches.
enum class reach : std::uint8_t {
    nothing,      // it has an open transaction, or keeps tables from being frozen, and that is all
    database,     // data and catalogs of its database, and shared catalogs
    everything,   // data and catalogs of every database
    catalogs,     // catalogs of every database, for logical decoding
    subtrans_only // lazy VACUUM, and the process that decodes: rows may go, pg_subtrans may not
};

struct horizon_holder {
    holder_kind kind = holder_kind::active;
    reach reaches = reach::nothing;
    std::int32_t group = -1;    // index of the holder that leads its lock group; -1: it is alone
    std::uint32_t database = 0; // OID; 0: none
    xid_place xid = nowhere;    // its own transaction
    xid_place xmin = nowhere;   // oldest transaction that its snapshots cannot see as ended
    xid_place catalog_xmin = nowhere;
    // Its snapshot will be gone soon, or is renewed with the next message of the standby.
    bool is_fleeting = false;
    // When that snapshot was taken at the earliest, and when the transaction began at the latest;
    // microseconds, of the same clock. A snapshot cannot repeat what began after it.
    std::int64_t snapshot_from = std::numeric_limits<std::int64_t>::max();
    std::int64_t began_by = 0;
    bool is_frozen_limit = false; // xmin is the relfrozenxid of its temporary tables
    // The look itself: gone when it has been taken, so no horizon is counted as held by it.
    bool is_look = false;

    // What it keeps of rows.
    [[nodiscard]] xid_place rows() const { return std::min(xid, xmin); }
    [[nodiscard]] xid_place oldest() const { return std::min(rows(), catalog_xmin); }
};

} // namespace lockstep::age
