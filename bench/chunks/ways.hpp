// The ways to update many rows that others update, too; and what became of it.
#pragma once

#include "options.hpp"

#include "common/session.hpp"

#include <cstdint>
#include <string>

namespace lockstep::bench {

std::string key_of(way how);
std::string label_of(way how);

struct outcome {
    way how;
    double seconds = 0;   // until the last session is done
    bool finished = true; // else it was cancelled
    double share = 1;     // of the updates that are done
    std::int64_t deadlocks = 0;
    std::int64_t wrong_rows = 0; // not updated as often as asked for
};

// The tables, and which ids each session updates, in which order.
void prepare(session &admin, const options &wanted, std::uint64_t seed);

// All sessions at the same time, on a fresh table.
outcome measured(session &admin, const std::string &conninfo, const options &wanted, way how);

} // namespace lockstep::bench
