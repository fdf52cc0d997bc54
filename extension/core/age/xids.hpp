// Transaction ids on one line. The server keeps 32 bits of most ids; beside the full next id each
// of them has one place on the line, so that ages stay right where the 32 bits begin anew.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace lockstep::age {

// A full transaction id; more than all others where there is none, so that the smallest of several
// is the oldest.
using xid_place = std::int64_t;
constexpr xid_place nowhere = std::numeric_limits<xid_place>::max();

// Ids below this one are permanent: they have no age.
constexpr std::uint32_t first_normal_xid = 3;

[[nodiscard]] constexpr xid_place place_of(std::uint32_t xid, xid_place next) {
    if (xid < first_normal_xid)
        return nowhere;
    return next - static_cast<std::int32_t>(static_cast<std::uint32_t>(next) - xid);
}

// How many ids were assigned since.
[[nodiscard]] constexpr std::optional<std::int64_t> age_of(xid_place place, xid_place next) {
    if (place == nowhere)
        return std::nullopt;
    return next - place;
}

} // namespace lockstep::age
