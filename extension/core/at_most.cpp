#include "core/at_most.hpp"

#include <algorithm>
#include <optional>

namespace lockstep {

namespace {

// The part of `wanted` that fits between two amounts; zero where none does.
money part_between(const money &low, const money &high, const money &wanted) {
    if (high <= low)
        return money{};
    if (const auto room = high.minus(low))
        return wanted <= *room ? wanted : *room;
    return wanted; // the room is larger than any amount
}

// How many decimals the column keeps; nothing where it keeps any.
std::optional<int> scale_of(const amount_type &type) {
    if (type.stored != amount_type::kind::numeric)
        return 0;
    return type.has_limits ? std::optional{type.scale} : std::nullopt;
}

// A bound may be finer than the amounts: these stop at the last whole unit before it.
std::optional<money> last_below(const money &ceiling, const amount_type &type) {
    const auto scale = scale_of(type);
    return scale ? ceiling.rounded_down(*scale) : ceiling;
}
std::optional<money> first_above(const money &floor, const amount_type &type) {
    const auto last = last_below(floor.negated(), type);
    return last ? std::optional{last->negated()} : std::nullopt;
}

money to_be_given(const row_state &row, const money &wanted, const amount_type &type) {
    if (!row.floor)
        return wanted;
    const auto lowest = first_above(*row.floor, type);
    return lowest ? part_between(*lowest, *row.amount, wanted) : money{};
}

money to_be_taken(const row_state &row, const money &wanted, const amount_type &type) {
    if (!row.ceiling)
        return wanted;
    const auto highest = last_below(*row.ceiling, type);
    return highest ? part_between(*row.amount, *highest, wanted) : money{};
}

} // namespace

money amount_within_bounds(std::span<const batch_row> rows, const batch_item &item,
                           const amount_type &type) {
    money amount = item.amount;
    const auto limit = [&](std::uint32_t number, auto part_of) {
        if (number == no_row || !rows[number].state)
            return true;
        const money part = part_of(*rows[number].state, amount, type);
        if (part.is_zero())
            return false;
        amount = part;
        return true;
    };
    if (limit(item.from, to_be_given))
        static_cast<void>(limit(item.to, to_be_taken));
    const auto scale = scale_of(type);
    return scale ? amount.with_scale(std::max(*scale, 0)).value_or(amount) : amount;
}

} // namespace lockstep
