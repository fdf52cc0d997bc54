// How near each database is to the end of its transaction ids and multixacts.
#pragma once

#include "age/horizon_holders.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// Counted in ids; what has been passed is below zero.
struct distances {
    std::int64_t age;
    std::int64_t to_autovacuum;
    std::int64_t to_failsafe;
    std::int64_t to_warning;
    std::int64_t to_stop;
};

struct database {
    Oid oid;
    std::string name;
    bool takes_connections;
    TransactionId frozen;     // datfrozenxid
    MultiXactId oldest_multi; // datminmxid
    distances xids;
    distances multis;
    age::finding found;
    std::string advice;
    const holder_row *top; // who keeps it from being frozen; null: nobody
};

// How fast ids are used up, by the history.
struct id_rates {
    std::optional<double> xids; // an hour
    std::optional<double> multis;

    // When the first of the two will have run out; nothing where neither is used, or known.
    [[nodiscard]] std::optional<std::int64_t> until(std::int64_t xids_left,
                                                    std::int64_t multis_left) const;
};

// Over the last hour of the history, or as much of one as there is (ten minutes at least).
[[nodiscard]] id_rates rates_of(const age_instant &now);

// All databases, worst first, then oldest first. Where pg_database may not be read without waiting
// it is the oldest one alone, which shared memory knows.
[[nodiscard]] std::vector<database> databases_of(horizon_holders &seen);

} // namespace lockstep
