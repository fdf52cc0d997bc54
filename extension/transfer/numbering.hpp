// The keys of movements as numbers of rows, which is how core/ knows them.
#pragma once

#include "transfer/request.hpp"

#include "core/batch.hpp"
#include "core/sql_error.hpp"

#include <span>

namespace lockstep {

struct numbered_items {
    call_vector<Datum> keys;       // of the rows, distinct, in canonical order
    call_vector<batch_item> items; // in the order of the requests
};

[[nodiscard]] numbered_items number_items(const ledger &target,
                                          std::span<const movement_request> requests);

// What messages about these rows need. The keys must live as long.
[[nodiscard]] row_names names_of(const ledger &target, std::span<const Datum> keys);

// LS006: both keys of a movement name this row.
[[nodiscard]] sql_error same_row_error(const ledger &target, Datum key);

} // namespace lockstep
