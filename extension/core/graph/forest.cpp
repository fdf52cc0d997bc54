#include "core/graph/forest.hpp"

#include "core/graph/bits.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace lockstep::graph {

namespace {

using index = std::int32_t;

std::size_t at(index i) {
    return static_cast<std::size_t>(i);
}

// Neighbours by node, in one block.
class adjacency {
  public:
    adjacency(index nodes, const std::vector<arc> &arcs, bool upwards) : begin_(at(nodes) + 1, 0) {
        for (const arc &one : arcs)
            ++begin_[at(upwards ? one.from : one.to) + 1];
        for (std::size_t i = 1; i < begin_.size(); ++i)
            begin_[i] += begin_[i - 1];
        std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
        to_.resize(arcs.size());
        for (const arc &one : arcs)
            to_[next[at(upwards ? one.from : one.to)]++] = upwards ? one.to : one.from;
    }
    [[nodiscard]] std::span<const index> of(index node) const {
        return {to_.data() + begin_[at(node)], begin_[at(node) + 1] - begin_[at(node)]};
    }

    // The end of it.
    void hand_over(std::vector<std::size_t> &begin, std::vector<index> &to) {
        begin = std::move(begin_);
        to = std::move(to_);
    }

  private:
    std::vector<std::size_t> begin_;
    std::vector<index> to_;
};

// The strongly connected components, by Tarjan's algorithm without recursion. They come out with
// whoever is waited for first: component 0 waits for no other.
struct components {
    std::vector<index> of_node;
    std::vector<index> size;
};

components find_components(index nodes, const adjacency &up) {
    constexpr index unseen = -1;
    struct step {
        index node;
        std::size_t next;
    };
    components found;
    found.of_node.assign(at(nodes), -1);
    std::vector<index> number(at(nodes), unseen);
    std::vector<index> low(at(nodes), 0);
    std::vector<index> stack;
    std::vector<step> path;
    index counter = 0;
    const auto enter = [&](index node) {
        number[at(node)] = low[at(node)] = counter++;
        stack.push_back(node);
        path.push_back({node, 0});
    };
    for (index start = 0; start < nodes; ++start) {
        if (number[at(start)] == unseen)
            enter(start);
        while (!path.empty()) {
            const index node = path.back().node;
            const auto ahead = up.of(node);
            if (path.back().next < ahead.size()) {
                const index other = ahead[path.back().next++];
                if (number[at(other)] == unseen)
                    enter(other);
                else if (found.of_node[at(other)] < 0)
                    low[at(node)] = std::min(low[at(node)], number[at(other)]);
                continue;
            }
            path.pop_back();
            if (!path.empty())
                low[at(path.back().node)] = std::min(low[at(path.back().node)], low[at(node)]);
            if (low[at(node)] != number[at(node)])
                continue;
            const auto component = static_cast<index>(found.size.size());
            found.size.push_back(0);
            for (index member = -1; member != node;) {
                member = stack.back();
                stack.pop_back();
                found.of_node[at(member)] = component;
                ++found.size[at(component)];
            }
        }
    }
    return found;
}

class forest_builder {
  public:
    forest_builder(index nodes, std::vector<arc> arcs)
        : count_(nodes), arcs_(std::move(arcs)), up_(nodes, arcs_, true),
          down_(nodes, arcs_, false), components_(find_components(nodes, up_)) {
        result_.nodes.resize(at(nodes));
    }

    forest build() {
        number_cycles();
        count_blocked();
        find_roots();
        breadth_first();
        name_extra_parents();
        write_order();
        down_.hand_over(result_.waiting_begin, result_.waiting);
        return std::move(result_);
    }

  private:
    [[nodiscard]] index component(index node) const { return components_.of_node[at(node)]; }
    [[nodiscard]] bool in_cycle(index node) const {
        return components_.size[at(component(node))] > 1;
    }

    void number_cycles() {
        std::map<index, index> numbers;
        for (index node = 0; node < count_; ++node)
            if (in_cycle(node))
                result_.nodes[at(node)].cycle =
                    numbers.emplace(component(node), static_cast<index>(numbers.size()) + 1)
                        .first->second;
    }

    // Who reaches each component: from the last, for whom nobody waits, to the first.
    void count_blocked() {
        const std::size_t many = components_.size.size();
        bit_rows waiting(many, at(count_));
        std::vector<std::vector<index>> members(many);
        for (index node = 0; node < count_; ++node)
            members[at(component(node))].push_back(node);
        for (std::size_t one = many; one-- > 0;) {
            for (const index node : members[one])
                for (const index below : down_.of(node))
                    if (const std::size_t other = at(component(below)); other != one) {
                        waiting.add(one, waiting, other);
                        for (const index member : members[other])
                            waiting.set(one, at(member));
                    }
            const auto outside = static_cast<index>(waiting.count(one));
            for (const index node : members[one]) {
                result_.nodes[at(node)].total_blocked =
                    outside + static_cast<index>(members[one].size()) - 1;
                result_.nodes[at(node)].direct_blocked = static_cast<index>(down_.of(node).size());
            }
        }
    }

    // A root is a component that waits for no other; whoever reaches one root alone would be freed
    // by it.
    void find_roots() {
        constexpr index several = -2;
        const std::size_t many = components_.size.size();
        std::vector<index> sole(many, -1);
        std::vector<index> root_of_component(many, -1);
        std::vector<std::vector<index>> ahead(many);
        for (const arc &one : arcs_)
            if (component(one.from) != component(one.to))
                ahead[at(component(one.from))].push_back(component(one.to));
        std::vector<index> first(many, -1);
        for (index node = count_; node-- > 0;)
            first[at(component(node))] = node;
        for (std::size_t one = 0; one < many; ++one) {
            if (ahead[one].empty()) {
                const forest::node &node = result_.nodes[at(first[one])];
                const bool cycle = components_.size[one] > 1;
                sole[one] = static_cast<index>(one);
                root_of_component[one] = static_cast<index>(result_.roots.size());
                result_.roots.push_back({cycle ? -1 : first[one], first[one], node.cycle,
                                         cycle ? components_.size[one] : node.direct_blocked,
                                         node.total_blocked + (cycle ? 1 : 0), 0, 0, first[one]});
                continue;
            }
            for (const index other : ahead[one])
                sole[one] =
                    sole[one] == -1 || sole[one] == sole[at(other)] ? sole[at(other)] : several;
            // Those in a cycle wait for each other too, whoever is gone.
            if (components_.size[one] > 1)
                sole[one] = several;
        }
        for (index node = 0; node < count_; ++node) {
            const index only = sole[at(component(node))];
            if (only >= 0 && (only != component(node) || in_cycle(node)))
                ++result_.roots[at(root_of_component[at(only)])].frees_now;
        }
        std::ranges::sort(result_.roots, {}, [](const forest::root &one) {
            return std::tuple{-one.total_blocked, one.first};
        });
    }

    // All roots at once, level by level, so that each node hangs below the nearest.
    void breadth_first() {
        std::vector<index> level;
        std::vector<index> next;
        const auto hang = [&](index node, index root, index parent, index depth,
                              std::vector<index> &to) {
            forest::node &one = result_.nodes[at(node)];
            if (one.root >= 0)
                return;
            one.root = root;
            one.parent = parent;
            one.depth = depth;
            forest::root &top = result_.roots[at(root)];
            if (depth > top.max_depth) {
                top.max_depth = depth;
                top.deepest = node;
            }
            to.push_back(node);
        };
        for (std::size_t i = 0; i < result_.roots.size(); ++i)
            if (result_.roots[i].node >= 0)
                hang(result_.roots[i].node, static_cast<index>(i), -1, 0, level);
        // Who is in a cycle stands below the cycle, not below one of the others in it.
        std::vector<index> cycle_root(components_.size.size(), -1);
        for (std::size_t i = 0; i < result_.roots.size(); ++i)
            if (result_.roots[i].node < 0)
                cycle_root[at(component(result_.roots[i].first))] = static_cast<index>(i);
        for (index node = 0; node < count_; ++node)
            if (const index root = cycle_root[at(component(node))]; root >= 0)
                hang(node, root, -1, 1, next);
        for (index depth = 1; !level.empty() || !next.empty(); ++depth) {
            for (const index node : level)
                for (const index below : down_.of(node))
                    hang(below, result_.nodes[at(node)].root, node, depth, next);
            level.swap(next);
            next.clear();
        }
    }

    void name_extra_parents() {
        for (const arc &one : arcs_)
            if (one.nearest && result_.nodes[at(one.from)].parent != one.to)
                result_.nodes[at(one.from)].extra_parents.push_back(one.to);
    }

    void write_order() {
        std::vector<std::vector<index>> children(at(count_));
        std::vector<std::vector<index>> tops(result_.roots.size());
        for (index node = 0; node < count_; ++node) {
            const forest::node &one = result_.nodes[at(node)];
            (one.parent >= 0 ? children[at(one.parent)] : tops[at(one.root)]).push_back(node);
        }
        std::vector<index> stack;
        for (const auto &top : tops) {
            stack.assign(top.rbegin(), top.rend());
            while (!stack.empty()) {
                const index node = stack.back();
                stack.pop_back();
                result_.order.push_back(node);
                stack.insert(stack.end(), children[at(node)].rbegin(), children[at(node)].rend());
            }
        }
    }

    index count_;
    std::vector<arc> arcs_;
    adjacency up_;
    adjacency down_;
    components components_;
    forest result_;
};

// Sorted, each pair once; a pair is near when one of its arcs is.
std::vector<arc> tidied(std::span<const arc> arcs) {
    std::vector<arc> tidy;
    for (const arc &one : arcs)
        if (one.from != one.to)
            tidy.push_back(one);
    std::ranges::sort(tidy, {}, [](const arc &one) {
        return std::tuple{one.from, one.to, !one.nearest};
    });
    tidy.erase(
        std::unique(tidy.begin(), tidy.end(),
                    [](const arc &a, const arc &b) { return a.from == b.from && a.to == b.to; }),
        tidy.end());
    return tidy;
}

} // namespace

std::vector<std::int32_t> forest::path_to(std::int32_t one) const {
    std::vector<std::int32_t> path;
    for (; one >= 0; one = nodes[at(one)].parent)
        path.push_back(one);
    std::ranges::reverse(path);
    return path;
}

forest build_forest(std::int32_t nodes, std::span<const arc> arcs) {
    return forest_builder(nodes, tidied(arcs)).build();
}

} // namespace lockstep::graph
