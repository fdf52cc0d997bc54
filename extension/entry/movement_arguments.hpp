// The arguments that transfers, adjustments and batches of them have in common.
#pragma once

#include "ledger/ledger_cache.hpp"

namespace lockstep {

// What all do before anything else: the ledger, and whether the caller may move its rows.
[[nodiscard]] const ledger &ledger_argument(ledger_cache::use &use, FunctionCallInfo fcinfo,
                                            const char *function);

// Holds what a second key is made of while the first one is read (pg/key); for release_types().
[[nodiscard]] List *hold_second_key(FunctionCallInfo fcinfo, int number);

// `on_refusal`. 22023 where it is neither of both words.
[[nodiscard]] bool returns_refusals(FunctionCallInfo fcinfo, int number);

} // namespace lockstep
