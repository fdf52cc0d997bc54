#include "pg/pg.hpp"

#include "core/counted_states.hpp"
#include "retry/state_kinds.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace {

constexpr auto packed_states = [] {
    std::array<std::int32_t, lockstep::counted_states.size()> all{};
    std::transform(
        lockstep::counted_states.begin(), lockstep::counted_states.end(), all.begin(),
        [](std::string_view one) { return MAKE_SQLSTATE(one[0], one[1], one[2], one[3], one[4]); });
    return all;
}();

constexpr auto others = static_cast<std::int32_t>(packed_states.size());

} // namespace

std::int32_t lockstep_state_kinds() {
    return others + 1;
}

std::int32_t lockstep_kind_of_state(std::int32_t sqlstate) {
    const auto *const found = std::find(packed_states.begin(), packed_states.end(), sqlstate);
    return static_cast<std::int32_t>(found - packed_states.begin());
}

std::int32_t lockstep_state_of_kind(std::int32_t kind) {
    Assert(kind >= 0 && kind <= others);
    return kind == others ? 0 : packed_states[static_cast<std::size_t>(kind)];
}
