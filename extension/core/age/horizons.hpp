// Which holders hold which horizon, and what would be free without one of them.
//
// A horizon is the oldest transaction whose deleted rows somebody may still need. There is one for
// the data of each database, one for the catalogs of each, one for the shared catalogs, and one for
// pg_subtrans. The rules are those of ComputeXidHorizons() in the server's procarray.c.
#pragma once

#include "core/age/horizon_holder.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::age {

enum class horizon_kind : std::uint8_t { data, catalogs, shared_catalogs, subtrans };

struct horizon {
    horizon_kind kind;
    std::uint32_t database; // of data and catalogs; 0: the databases that nobody is connected to
    xid_place at;           // nowhere: nobody holds it
};

struct holding {
    std::vector<horizon> oldest_for; // in the order of the horizons; nothing of these for others
    bool has_all_data = false;       // ... among these the data of every database
    bool has_all_catalogs = false;   // ... and the catalogs of every database
    std::int64_t gain = 0;           // by how much the farthest of these would go on without it
    // Its snapshot only repeats this holder's transaction, so it is nobody's fault but that one's;
    // -1: it stands for itself.
    std::int32_t echo_of = -1;
};

// One for each holder, in their order. `next` is the next transaction id. Members of a lock group
// count as one, and the one that leads it answers for all.
//
// A snapshot cannot look behind a transaction that runs: of everybody who starts a transaction
// while transaction 100 runs, xmin is 100 at most. Such holders, where they are fleeting and no
// older than the transaction, are echoes: they are gone soon, and until then the transaction
// answers for them, in whatever database they are.
[[nodiscard]] std::vector<holding> holdings_of(std::span<const horizon_holder> holders,
                                               xid_place next);

// All horizons, the same in the same order.
[[nodiscard]] std::vector<horizon> horizons_of(std::span<const horizon_holder> holders);

// The place at which a holder holds a horizon; nowhere where it does not.
[[nodiscard]] xid_place place_in(const horizon_holder &one, const horizon &line);

// The horizons that a holder reaches, by name.
[[nodiscard]] std::vector<std::string_view> reach_names(const horizon_holder &one);

} // namespace lockstep::age
