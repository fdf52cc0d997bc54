// The tables that are printed.
#pragma once

#include "common/screen.hpp"
#include "retry/figures.hpp"

namespace lockstep::bench {

void print_scene(screen &out, const results &all, const conditions &where);
// True when nothing was wrong.
bool print_verdict(screen &out, const results &all);

} // namespace lockstep::bench
