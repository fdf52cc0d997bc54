#include "figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::bench {

const cell *find(const cells &all, shape which, int waiters, int other_locks) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const cell &each) {
        return each.which == which && each.waiters == waiters && each.other_locks == other_locks;
    });
    return found != all.end() ? &*found : nullptr;
}

std::string name_of(const cell &state) {
    return fmt::format("{}, {} waiter{}, {} other locks", name_of(state.which),
                       with_commas(static_cast<std::size_t>(state.waiters)),
                       state.waiters == 1 ? "" : "s",
                       with_commas(static_cast<std::size_t>(state.other_locks)));
}

std::string in_milliseconds(double value) {
    if (value < 10)
        return fmt::format("{:.2f}", value);
    if (value < 100)
        return fmt::format("{:.1f}", value);
    return with_commas(static_cast<std::size_t>(std::llround(value)));
}

} // namespace lockstep::bench
