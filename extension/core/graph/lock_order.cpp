#include "core/graph/lock_order.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace lockstep::graph {

namespace {

using ring = std::vector<std::size_t>;
using relation = std::pair<std::uint32_t, std::uint32_t>; // database, OID

// As the server numbers them.
constexpr std::uint32_t row_share = 1U << 2;
constexpr std::uint32_t row_exclusive = 1U << 3;

// Whether two transactions can hold it at one time.
bool can_be_shared(const held_and_wanted &one, conflict_masks conflicts) {
    for (std::size_t mode = 1; mode < conflicts.size(); ++mode)
        if ((one.held_modes & 1U << mode) != 0 && (conflicts[mode] & one.held_modes) != 0)
            return false;
    return true;
}

class ring_finder {
  public:
    ring_finder(std::span<const held_and_wanted> pairs, conflict_masks conflicts)
        : pairs_(pairs), conflicts_(conflicts), came_from_(pairs.size()) {
        for (std::size_t i = 0; i < pairs.size(); ++i)
            if (pairs[i].held != pairs[i].wanted)
                holders_[{pairs[i].database, pairs[i].held}].push_back(i);
        // What was seen most is tried first.
        for (auto &[held, those] : holders_)
            std::ranges::stable_sort(those, std::ranges::greater{},
                                     [&](std::size_t i) { return pairs_[i].times; });
    }

    // The shortest through a pair; empty where it is in none.
    [[nodiscard]] ring through(std::size_t start) {
        const held_and_wanted &pair = pairs_[start];
        if (pair.held == pair.wanted) {
            const bool is_one = !pair.wants_row && is_kept_by(pair, pair, conflicts_) &&
                                can_be_shared(pair, conflicts_);
            return is_one ? ring{start} : ring{};
        }
        std::ranges::fill(came_from_, unseen);
        came_from_[start] = start;
        std::deque<std::size_t> next{start};
        while (!next.empty()) {
            const std::size_t at = next.front();
            next.pop_front();
            const auto found = holders_.find({pairs_[at].database, pairs_[at].wanted});
            if (found == holders_.end())
                continue;
            for (const std::size_t other : found->second) {
                if (!is_kept_by(pairs_[at], pairs_[other], conflicts_))
                    continue;
                if (other == start)
                    return back_from(at, start);
                if (came_from_[other] == unseen) {
                    came_from_[other] = at;
                    next.push_back(other);
                }
            }
        }
        return {};
    }

    // The relations that are held, in order.
    [[nodiscard]] std::vector<relation> relations_of(const ring &found) const {
        std::vector<relation> relations;
        relations.reserve(found.size());
        for (const std::size_t i : found)
            relations.emplace_back(pairs_[i].database, pairs_[i].held);
        return relations;
    }

    [[nodiscard]] std::int64_t rarest_of(const ring &found) const {
        return pairs_[*std::ranges::min_element(found, {},
                                                [&](std::size_t i) { return pairs_[i].times; })]
            .times;
    }

  private:
    static constexpr auto unseen = static_cast<std::size_t>(-1);

    // From its lowest relation on.
    [[nodiscard]] ring back_from(std::size_t last, std::size_t start) const {
        ring found;
        for (std::size_t at = last; at != start; at = came_from_[at])
            found.push_back(at);
        found.push_back(start);
        std::ranges::reverse(found);
        const auto lowest =
            std::ranges::min_element(found, {}, [&](std::size_t i) { return pairs_[i].held; });
        std::rotate(found.begin(), lowest, found.end());
        return found;
    }

    std::span<const held_and_wanted> pairs_;
    conflict_masks conflicts_;
    std::map<relation, std::vector<std::size_t>> holders_; // pairs, by what is held
    std::vector<std::size_t> came_from_;                   // by pair
};

} // namespace

bool is_kept_by(const held_and_wanted &one, const held_and_wanted &other,
                conflict_masks conflicts) {
    if (one.database != other.database || one.wanted != other.held)
        return false;
    const std::uint32_t in_the_way = one.wants_row
                                         ? row_share | row_exclusive
                                         : conflicts[static_cast<std::size_t>(one.wanted_mode)];
    return (in_the_way & other.held_modes) != 0;
}

std::vector<std::vector<std::size_t>> inverted_orders(std::span<const held_and_wanted> pairs,
                                                      conflict_masks conflicts) {
    ring_finder finder(pairs, conflicts);
    std::map<std::vector<relation>, ring> best;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ring found = finder.through(i);
        if (found.empty())
            continue;
        const std::vector<relation> relations = finder.relations_of(found);
        // In two modes of one relation: two transactions, of which one may keep the other out.
        auto sorted = relations;
        std::ranges::sort(sorted);
        if (std::ranges::adjacent_find(sorted) != sorted.end())
            continue;
        ring &known = best[relations];
        if (known.empty() || finder.rarest_of(found) > finder.rarest_of(known))
            known = std::move(found);
    }
    std::vector<ring> rings;
    rings.reserve(best.size());
    for (auto &[relations, found] : best)
        rings.push_back(std::move(found));
    std::ranges::stable_sort(rings, std::ranges::greater{},
                             [&](const ring &one) { return finder.rarest_of(one); });
    return rings;
}

} // namespace lockstep::graph
