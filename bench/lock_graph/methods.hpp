// The ways to ask who waits for whom, ours and the ordinary ones; and what the same sessions hold.
#pragma once

#include "common/session.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

struct method {
    std::string key;   // in the JSON
    std::string label; // in the table
    std::string sql;
    // Empty: sql is all. Otherwise sql gives pids, and this is run for each of them.
    std::string sql_of_pid;
};

// Positions in all_methods() that are looked at by themselves.
namespace position {
constexpr std::size_t graph = 0;
constexpr std::size_t tree = 3;
constexpr std::size_t blocking_pids = 5;
constexpr std::size_t pg_locks = 8;
constexpr std::size_t tree_query = 9;
constexpr std::size_t age = 11;
constexpr std::size_t activity = 12;
} // namespace position

const std::vector<method> &all_methods();

struct one_run {
    double milliseconds = 0;
    std::size_t rows = 0;
    bool timed_out = false; // statement_timeout ended it
};

// All rows come to the client.
one_run run(const method &how, session &monitor);

} // namespace lockstep::bench
