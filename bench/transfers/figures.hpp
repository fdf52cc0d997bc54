// What was measured.
#pragma once

#include "common/statistics.hpp"
#include "transfers/contestants.hpp"
#include "transfers/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::bench {

struct conditions {
    spread over = spread::uniform;
    int connections = 1;
    bool flush = true;
    int slower_ms = 0; // each flush, as on a slow disk

    friend bool operator==(const conditions &, const conditions &) = default;
};

// One contestant under load.
struct cell {
    conditions where;
    contestant who;
    // One of each a measurement, in the order measured.
    std::vector<double> rates;  // transfers a second
    std::vector<double> p50_ms; // of the calls
    std::vector<double> p99_ms;
};

// Batches on one connection, a call at a time.
struct batch_cell {
    contestant who;
    id_kind ids = id_kind::ascending;
    spread over = spread::uniform;
    std::vector<double> warm_ms; // a call, on a connection that has made such calls before
    std::vector<double> cold_ms; // the first call of a connection
};

// What one transfer writes.
struct cost_cell {
    contestant who;
    id_kind ids = id_kind::ascending;
    std::int64_t rows = 0; // of the ledger, that the transfers are between
    double log_bytes = 0;  // a transfer
    double xids = 0;       // a call
};

// The work on one transfer as batches grow.
struct growth_cell {
    std::size_t items = 0;
    std::int64_t rows = 0;
    std::vector<double> microseconds; // a transfer
};

struct results {
    std::vector<cell> cells;
    std::vector<batch_cell> batches;
    std::vector<cost_cell> costs;
    std::vector<growth_cell> growth;
    std::vector<std::string> wrong;
};

// The batches that are told apart: so many items between so many rows.
constexpr std::size_t big_batch = 8000;
constexpr std::int64_t few_rows = 1000;

// How much slower a flush is on the slow disk. It is this machine's disk, where PostgreSQL sleeps
// so long before each flush (commit_delay).
constexpr int slow_flush_ms = 5;

// Null where it was not measured.
const cell *find(const results &all, const conditions &where, const contestant &who);
const batch_cell *find(const results &all, const contestant &who, id_kind ids, spread over);
const cost_cell *find(const results &all, const contestant &who, id_kind ids, std::int64_t rows);

// "uniform, ids v7"
std::string name_of(const batch_cell &each);
// "uniform, 8 connections, flush on", "hot-row, 20 connections, flush on, 5 ms slower"
std::string name_of(const conditions &where);
// "uniform, flush on"
std::string without_connections(const conditions &where);
conditions with_connections(conditions where, int connections);

} // namespace lockstep::bench
