// The tables that are printed.
#pragma once

#include "common/screen.hpp"
#include "transfers/figures.hpp"

namespace lockstep::bench {

// Transfers a second under load.
void print_cells(screen &out, const results &all);
// The same, how long the calls took, and what submit is to transfer on a fast and a slow disk.
void print_crowds(screen &out, const results &all);
void print_batches(screen &out, const results &all);
void print_costs(screen &out, const results &all);
void print_growth(screen &out, const results &all);
// True when nothing was wrong.
bool print_verdict(screen &out, const results &all);

} // namespace lockstep::bench
