#include "pg/backoff_settings.hpp"

#include "pg/settings.hpp"

namespace lockstep {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr int in_milliseconds(microseconds length) {
    return static_cast<int>(std::chrono::duration_cast<milliseconds>(length).count());
}

constinit int base = in_milliseconds(conflict_backoff.base);
constinit int cap = in_milliseconds(conflict_backoff.cap);

} // namespace

void install_backoff_settings() {
    define_milliseconds("lockstep.backoff_base",
                        "Longest first wait after a conflict, with nobody ahead; 0 never waits.",
                        &base, 0);
    define_milliseconds("lockstep.backoff_cap", "Longest wait of all after a conflict.", &cap, 0);
}

backoff_range conflict_range() {
    return {milliseconds{base}, milliseconds{cap}};
}

microseconds wait_behind(int ahead) {
    return backoff_limit(behind(conflict_range(), ahead), 0);
}

} // namespace lockstep
