// The tables that are printed in the end.
#pragma once

#include "common/screen.hpp"
#include "transfers/figures.hpp"

namespace lockstep::bench {

void print_tables(screen &out, const results &all);
// True when nothing was wrong.
bool print_verdict(screen &out, const results &all);

} // namespace lockstep::bench
