// What would have avoided a deadlock.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace lockstep::deadlock {

enum class wanted : std::uint8_t {
    row,         // a row that another transaction has
    transaction, // the end of one, of which no row is known: it has inserted the same key, or its
                 // row is held already, in a weaker mode
    relation,
    advisory,
    other
};

// What a member of a cycle waited for.
struct member_wait {
    wanted what = wanted::other;
    std::string relation; // its name for people; empty: there is none
    std::string place;    // of a row: tells it from others
    std::string lock;     // of all others: tells it from others
    bool inserts = false; // its statement is an INSERT
};

// One line of advice: an order to take things in, or the function that takes them so.
[[nodiscard]] std::string advice_for(std::span<const member_wait> cycle);

} // namespace lockstep::deadlock
