// The ways to book transfers: ours, and the ordinary ones.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class way {
    client_transaction, // statements from the client, in one transaction
    plpgsql_call,       // one function call a transfer
    savepoint_batch,    // one call a batch, a subtransaction an item
    netted_batch,       // one call a batch, set-based; no answer an item
    running_batch,      // the same with the balances after each item
    floor_batch,        // the floor: the same rows written, and nothing asked or checked
    lockstep_transfer,
    lockstep_submit,
    lockstep_batch
};

struct contestant {
    way how = way::lockstep_batch;
    std::size_t items = 1; // a call

    friend bool operator==(const contestant &, const contestant &) = default;
};

// All of them, in the order of the tables.
const std::vector<way> &all_ways();
bool is_batch(way how);
bool is_ours(way how);

std::string key_of(way how);
// "savepoint_batch_8000"
std::string key_of(const contestant &who);
// "PL/pgSQL batch, savepoints, 8,000"
std::string label_of(const contestant &who);
// Each has a table of its own, so that one's dead row versions do not slow the next.
std::string table_of(way how);
std::string journal_of(way how);

// What makes the functions of the ordinary ways; empty where there are none.
std::string functions_of(way how);

} // namespace lockstep::bench
