// Graphs of who waits for whom, of any shape, for the tests of what is made from them.
#pragma once

#include "core/graph/forest.hpp"

#include "random_seed.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace lockstep::testing {

// Some shape of `nodes` nodes, numbered at random; with some arcs twice, and some from a node to
// itself.
inline std::vector<graph::arc> random_arcs(dice &random, std::int32_t nodes) {
    std::vector<graph::arc> arcs;
    if (nodes == 0)
        return arcs;
    const auto add = [&](std::int32_t from, std::int32_t to) {
        arcs.push_back({from, to, random.percent(60)});
    };
    const auto any = [&] { return random.below(static_cast<std::size_t>(nodes)); };
    // Rings and chains, one behind the other; whether they hang together is left to chance.
    const auto pieces = [&](int rings) {
        for (std::int32_t first = 0; first < nodes;) {
            const std::int32_t last = std::min(nodes - 1, first + random.between(0, 6));
            for (std::int32_t i = first; i < last; ++i)
                add(i + 1, i);
            if (random.percent(rings))
                add(first, last);
            if (first > 0 && random.percent(60))
                add(first, random.below(static_cast<std::size_t>(first)));
            first = last + 1;
        }
    };
    switch (random.below(8)) {
    case 0: // sparse
        for (std::int32_t i = random.between(0, nodes); i > 0; --i)
            add(any(), any());
        break;
    case 1: // dense
        for (std::int32_t i = nodes * random.between(1, nodes); i > 0; --i)
            add(any(), any());
        break;
    case 2: // no rings
        for (std::int32_t i = random.between(0, 3 * nodes); i > 0; --i)
            if (const std::int32_t from = any(); from > 0)
                add(from, random.below(static_cast<std::size_t>(from)));
        break;
    case 3: // a chain, and sometimes a ring
        for (std::int32_t i = 1; i < nodes; ++i)
            add(i, i - 1);
        if (random.percent(50))
            add(0, nodes - 1);
        break;
    case 4: pieces(0); break;
    case 5: pieces(50); break;
    case 6: // everybody for a few
        for (std::int32_t i = 0; i < nodes; ++i)
            for (std::int32_t few = random.between(1, 3); few > 0; --few)
                add(i, random.below(static_cast<std::size_t>(std::min(nodes, 4))));
        break;
    default: // halves that know nothing of each other
        for (std::int32_t i = random.between(0, 2 * nodes); i > 0; --i) {
            const std::int32_t from = any();
            const std::int32_t to = any();
            if (from % 2 == to % 2)
                add(from, to);
        }
    }
    for (std::int32_t i = random.between(0, 4); i > 0 && !arcs.empty(); --i) {
        const graph::arc again = arcs[static_cast<std::size_t>(random.below(arcs.size()))];
        add(again.from, again.to);
        const std::int32_t self = any();
        add(self, self);
    }
    std::vector<std::int32_t> names(static_cast<std::size_t>(nodes));
    std::iota(names.begin(), names.end(), 0);
    std::ranges::shuffle(names, random.engine());
    for (graph::arc &one : arcs) {
        one.from = names[static_cast<std::size_t>(one.from)];
        one.to = names[static_cast<std::size_t>(one.to)];
    }
    std::ranges::shuffle(arcs, random.engine());
    return arcs;
}

} // namespace lockstep::testing
