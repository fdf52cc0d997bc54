// The movements of one call: what was asked for, and what has become of each of them so far. The
// steps of the call work on it one after the other (transfer/batch.cpp; transfer/group.cpp, where
// they are of several callers).
#pragma once

#include "transfer/request.hpp"

#include "core/batch.hpp"
#include "core/call_memory.hpp"
#include "core/sql_error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lockstep {

struct movements {
    const ledger &target;
    std::span<const movement_request> requests;
    bool numbered; // errors name the item

    call_vector<uuid_bytes> ids = {};
    call_vector<std::uint32_t> by_id = {}; // items in the order of their ids
    call_vector<std::uint32_t> first = {}; // of each item, the first one with its id
    call_vector<Datum> keys = {};          // of the rows, distinct, in canonical order
    call_vector<batch_item> items = {};
    call_vector<batch_row> rows = {};
    call_vector<item_outcome> outcomes = {};
    call_vector<movement_result> results = {};
    call_vector<std::optional<sql_error>> errors = {}; // by item, where it is another caller's

    // A single movement is no item of anything.
    template <class Step>
    void for_item(std::size_t item, Step step) const {
        if (numbered)
            lockstep::for_item(item, step);
        else
            step();
    }

    // Whether it is still to be done: it has no answer yet, and is the first one with its id.
    [[nodiscard]] bool is_pending(std::size_t item) const {
        return results[item].status == movement_status::pending && first[item] == item;
    }

    // The items that are left to do, in the order of their ids.
    [[nodiscard]] call_vector<std::uint32_t> pending() const {
        call_vector<std::uint32_t> left;
        for (const std::uint32_t item : by_id)
            if (is_pending(item))
                left.push_back(item);
        return left;
    }

    [[nodiscard]] call_vector<uuid_bytes> pending_ids() const {
        call_vector<uuid_bytes> left;
        for (const std::uint32_t item : pending())
            left.push_back(ids[item]);
        return left;
    }
};

// Gives each request its id: its own, or a new one.
void take_ids(movements &all);

// Numbers the rows that the requests name, and makes items of the requests.
void number_keys(movements &all);

// Numbers the rows anew, without those that nothing is left to do with.
void drop_unneeded_rows(movements &all);

} // namespace lockstep
